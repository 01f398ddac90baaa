import { expect } from '@jest/globals';
import { z } from 'zod';
import { typedTool } from '../../agents/tools/typed-tool.ts';
import type { ApprovalRuleInput } from '../../contract/approval.ts';
import type { JsonValue } from '../../contract/json.ts';
import { createApiHarness } from './api-harness.ts';
import { newApiKeyId } from '../../runtime/api-key-text.ts';
import { person, signedIn } from '../support/principals.ts';

const rules: ApprovalRuleInput[] = [
  { tool: 'pay', when: [{ argument: 'amount', over: 100 }], approvers: { roles: ['boss'] }, unlessRoles: ['cfo'] },
  { tool: 'sign', approvers: { subjects: ['ann', 'bob'] }, fourEyes: true },
  { tool: 'share', fourEyes: true },
  { tool: 'hurry', approvers: { subjects: ['nobody'] }, expiresS: 0.5, onExpiry: 'deny' },
  { tool: 'glide', approvers: { subjects: ['nobody'] }, expiresS: 0.5, onExpiry: 'approve' },
  { tool: 'climb', approvers: { subjects: ['nobody'] }, escalateS: 0.3, escalateTo: { roles: ['boss'] } },
];

/** The headers of a user with these roles. */
export const as = (name: string, ...roles: string[]) => ({ 'x-as': name, 'x-roles': roles.join(',') });

/** The API with one tool for each approval rule. The tools only record their calls. */
export async function createApprovalHarness() {
  const calls: { tool: string; input: JsonValue }[] = [];
  const api = await createApiHarness(
    { ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: rules } }) },
    {
      identify: ({ 'x-as': name, 'x-roles': roles }) =>
        signedIn(typeof name === 'string' ? name : 'local', {
          roles: typeof roles === 'string' ? roles.split(',') : [],
          ...(name?.toString().startsWith('key:') && { kind: 'service', via: 'api_key' }),
        }),
    },
  );
  for (const { tool: name } of rules) {
    const tool = typedTool({
      name,
      description: name,
      input: z.strictObject({ amount: z.number().optional(), to: z.string().optional() }),
      run: async (input) => {
        calls.push({ tool: name, input: input as JsonValue });
        return { output: { did: name }, summary: name };
      },
    });
    api.tool(name, (...call) => tool.run(...call), { effect: 'write', check: (input) => tool.check?.(input) });
  }
  return {
    ...api,
    /** The calls that ran since a test emptied the list. */
    calls,
    /** Makes an API key. */
    keyOf: (creator: string) =>
      api.apiKeys.create(
        person(creator),
        { name: 'k', roles: [], scopes: [] },
        { id: newApiKeyId(), hash: Buffer.alloc(32) },
      ),
    /** Starts a task that makes one tool call. @returns the task's id */
    async askFor(tool: string, input: JsonValue, who = as('eve')) {
      api.script([{ calls: [{ tool, arguments: input }] }, { text: ['Done.'] }]);
      return (await api.http.post('/v1/tasks', { input: { text: 'Do it.' } }, who)).body.id as string;
    },
    /** Waits until a task has this status. @returns the task */
    reaches: (id: string, status: string, who = as('eve')) => api.taskReaches(id, status, who),
    /** Waits until a task waits for one approval. @returns the approval's id */
    async pendingOf(id: string, who = as('eve')) {
      const task = await api.taskReaches(id, 'waiting', who);
      expect(task.waiting).toMatchObject({ reason: 'approval', approvals: [expect.any(String)] });
      return task.waiting.approvals[0] as string;
    },
    decide: (id: string, body: object, who: Record<string, string>) => api.http.post(`/v1/approvals/${id}`, body, who),
    eventsOf: async (id: string) => api.events.read({ tenant: 'local', subject: 'eve' }, id, 0, 500),
  };
}
export type ApprovalHarness = Awaited<ReturnType<typeof createApprovalHarness>>;
