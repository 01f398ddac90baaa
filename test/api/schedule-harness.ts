import { expect } from '@jest/globals';
import { scheduleWorkflowId } from '../../contract/ids.ts';
import { until, untilAborted } from '../support/until.ts';
import { createApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';
import { signedIn } from '../support/principals.ts';

export const hourly = { everyS: 3_600 };
export const everySecond = { everyS: 1 };
/** Must not be found in Temporal. */
export const question = 'What is the purple elephant worth?';
export const ask = { task: { input: { text: question } } };
export const scheduleBody = (changes: object = {}) => ({ name: 'Prices', timing: hourly, action: ask, ...changes });

/** The API, with helpers for schedules. The header `x-subject` is the user of a request. */
export async function createScheduleHarness() {
  const harness = await createApiHarness(
    {
      // Everybody here has the role.
      ALFRED_AGENTS: JSON.stringify({ knowledge: { roles: ['accounting'] } }),
    },
    {
      identify: ({ 'x-subject': subject = 'local' }) => signedIn(String(subject), { roles: ['accounting'] }),
    },
  );
  const { http, client } = harness;
  const createdIds: string[] = [];
  const remove = (id: string) => http.request(`/v1/schedules/${id}`, { method: 'DELETE' });
  const read = async (id: string) => (await http.get(`/v1/schedules/${id}`)).body;
  const taskOf = async (id: string) => (await http.get(`/v1/tasks/${id}`)).body;

  /** The workflows of a schedule's runs, oldest first. */
  async function workflowsOf(id: string) {
    const all = [];
    for await (const one of client.workflow.list({ query: `WorkflowType = 'scheduledRunWorkflow'` }))
      if (one.workflowId.startsWith(scheduleWorkflowId(id)))
        all.push({ workflowId: one.workflowId, runId: one.runId, status: one.status.name });
    return all.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  }

  return {
    ...harness,
    read,
    remove,
    taskOf,
    async create(changes: object = {}, headers = {}) {
      const { status, headers: answered, body } = await http.post('/v1/schedules', scheduleBody(changes), headers);
      expect({ status, body }).toMatchObject({ status: 201 });
      expect(answered.get('location')).toBe(`/v1/schedules/${body.id}`);
      createdIds.push(body.id);
      return body;
    },
    /** Deletes the schedules that `create` created since the last call. */
    async cleanUp() {
      for (const id of createdIds.splice(0)) await remove(id);
    },
    list: async () => (await http.get('/v1/schedules')).body.schedules as AnyJson[],
    act: (id: string, verb: 'pause' | 'resume' | 'run') =>
      http.request(`/v1/schedules/${id}/${verb}`, { method: 'POST' }),
    patch: (id: string, change: object, headers = {}) => http.json('PATCH', `/v1/schedules/${id}`, change, headers),
    /** The schedule's handle in Temporal. */
    inTemporal: (id: string) => client.schedule.getHandle(scheduleWorkflowId(id)),

    /** Waits until a schedule has this many runs. @returns the schedule */
    runs: (id: string, count: number) =>
      until(`${count} runs`, () => read(id), { accept: ({ recentRuns }) => recentRuns.length >= count }),
    /** Waits for the end of a task. @returns the task */
    ended: (taskId: string) =>
      until('the end of a task', () => taskOf(taskId), { accept: ({ endedAt }) => endedAt !== null }),
    /** Waits until the workflow of a run has this status. @returns the first such workflow */
    async workflow(id: string, status: string) {
      const all = await until(`a run that is ${status}`, () => workflowsOf(id), {
        accept: (seen) => seen.some((one) => one.status === status),
      });
      return all.find((one) => one.status === status) as (typeof all)[number];
    },

    quickModel: () => harness.script(() => ({ text: ['Forty-two.'] })),
    /** A model that answers after `release`, unless its call is cancelled. */
    blockedModel() {
      const { promise, resolve: release } = Promise.withResolvers<void>();
      harness.script(() => ({
        text: ['Slowly.'],
        until: (signal) => Promise.race([promise, untilAborted(signal)]),
      }));
      return { release };
    },
  };
}
export type ScheduleHarness = Awaited<ReturnType<typeof createScheduleHarness>>;

/** A history or description from Temporal as text, with decoded payloads. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const bytes = inner as { type?: string; data?: number[] } | null;
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString();
    return bytes?.type === 'Buffer' && Array.isArray(bytes.data) ? Buffer.from(bytes.data).toString() : inner;
  });
}
