import { z } from 'zod';
import type { Agent } from '../../../agents/index.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { TaskEvent } from '../../../contract/events.ts';
import { agentQueue } from '../../../contract/ids.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { ModelRequest } from '../../../contract/ports/index.ts';
import { TaskResult, type TaskRequest } from '../../../contract/task.ts';
import { passage } from '../documents/passage.ts';
import type { ScriptedTurn } from '../providers/scripted-model.ts';
import { createTaskHarness, scope } from './task-harness.ts';

const names = ['boss', 'left', 'right'] as const;
type Name = (typeof names)[number];

const agentOf = (name: Name, tools: string[], maxSteps: number): Agent => ({
  description: `Does what ${name} does.`,
  instructions: `You are ${name}.`,
  tools,
  maxSteps,
  input: z.strictObject({ text: z.string().min(1) }),
  output: TaskResult,
  withoutApproval: tools.filter((tool) => tool.startsWith('write')),
});
const agentsWith = (maxSteps: number) => ({
  boss: agentOf('boss', ['delegate', 'set_plan', 'ask_person', 'hand_over', 'look'], maxSteps),
  left: agentOf('left', ['look', 'write_left', 'guarded', 'sign', 'delegate', 'ask_person'], maxSteps),
  right: agentOf('right', ['look', 'write_right', 'delegate'], maxSteps),
});
export const queues = names.map(agentQueue);

type Turn = ScriptedTurn | ((request: ModelRequest) => ScriptedTurn);

export const delegate = (agent: string, request: string, more: object = {}) => ({
  tool: 'delegate',
  arguments: { agent, request, ...more } as JsonValue,
});
export const readOf = (id: string): ScriptedTurn => ({ calls: [{ tool: 'look', arguments: { id } }] });
export const write = (side: string): ScriptedTurn => ({ calls: [{ tool: `write_${side}`, arguments: {} }] });
export const untilAborted = (signal: AbortSignal) =>
  new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason as Error)));
export const never: ScriptedTurn = { until: untilAborted };

/** What the tools of a request's newest results have returned. */
export const outputsIn = (request: ModelRequest | undefined) => {
  const last = request?.messages.findLast((message) => message.role === 'tool');
  return last?.role === 'tool' ? last.results.map(({ output }) => output as Record<string, JsonValue>) : [];
};
export const dataOf = <T extends TaskEvent['type']>(events: TaskEvent[], type: T) =>
  events.flatMap((event) => (event.type === type ? [event.data as Extract<TaskEvent, { type: T }>['data']] : []));

/**
 * Workers of three agents that may ask each other, on real servers. `boss` delegates; `left` and `right` read a passage
 * and have an effect that can be undone. `left` may sign when a person approves.
 */
export async function createDelegationHarness({ maxSteps = 20 } = {}) {
  /** The effects, and their undos, in order. */
  const effects: string[] = [];
  const harness = await createTaskHarness({}, { agents: agentsWith(maxSteps), queues: [] });
  for (const name of ['delegate', 'set_plan', 'ask_person', 'hand_over']) harness.useBuiltInTool(name);
  harness.tool('look', async (input) => {
    const { id } = input as { id: string };
    const artifacts =
      id === 'table' ? [{ name: 'table.csv', mediaType: 'text/csv', bytes: Buffer.from('a,b\n') }] : undefined;
    return {
      output: { passages: [passage(id, `This is what ${id} says.`)] },
      summary: `looked at ${id}`,
      ...(artifacts && { artifacts }),
    };
  });
  for (const side of ['left', 'right'])
    harness.tool(
      `write_${side}`,
      async (_, { beforeSend }) => {
        await beforeSend();
        effects.push(`did ${side}`);
        return { output: { did: side }, summary: `did ${side}` };
      },
      {
        effect: 'write',
        undo: async (_, __, { beforeSend }) => {
          await beforeSend();
          effects.push(`undid ${side}`);
          return { summary: `undid ${side}` };
        },
      },
    );
  harness.tool(
    'sign',
    async (_, { beforeSend }) => {
      await beforeSend();
      effects.push('signed');
      return { output: { signed: true }, summary: 'signed' };
    },
    { effect: 'write', approvals: [{ approvers: { roles: ['signer'] } }] },
  );
  await harness.serve(queues);

  /** Gives each agent its turns. @returns the requests of the models, by agent */
  function play(turns: Partial<Record<Name, Turn[]>>) {
    const requests: Record<Name, ModelRequest[]> = { boss: [], left: [], right: [] };
    const rest = Object.fromEntries(names.map((name) => [name, [...(turns[name] ?? [])]])) as Record<Name, Turn[]>;
    harness.script((request) => {
      const name = names.find((one) => request.instructions.includes(`You are ${one}.`));
      const turn = name && rest[name].shift();
      if (!name || !turn) throw new AlfredError('model_rejected', `The script of ${name} has no further turn.`);
      requests[name].push(request);
      return typeof turn === 'function' ? turn(request) : turn;
    });
    return requests;
  }

  const start = (request: Partial<TaskRequest> = {}) => harness.start({ agent: 'boss', ...request });
  const childrenOf = async (id: string) => {
    const { tasks } = await harness.tasks.list(scope, { parent: id, limit: 50 });
    return tasks.toReversed();
  };
  const child = async (id: string, agent: Name) => (await childrenOf(id)).find((row) => row.agent === agent);
  const runToEnd = async (request: Partial<TaskRequest> = {}) => {
    const { id, handle } = await start(request);
    await handle.result().catch(() => {});
    return { id, row: await harness.row(id), events: await harness.followToEnd(id) };
  };

  return { ...harness, effects, play, start, childrenOf, child, runToEnd };
}
export type DelegationHarness = Awaited<ReturnType<typeof createDelegationHarness>>;
