import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Agent } from '../../agents/index.ts';
import type { TaskEvent } from '../../contract/events.ts';
import { AlfredError } from '../../contract/errors.ts';
import { agentQueue } from '../../contract/ids.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { ModelRequest } from '../../contract/ports/index.ts';
import { TaskResult, type TaskRequest } from '../../contract/task.ts';
import { passage } from '../support/documents/passage.ts';
import type { ScriptedTurn } from '../support/providers/scripted-model.ts';
import { createTaskHarness, scope, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

const names = ['boss', 'left', 'right'] as const;
type Name = (typeof names)[number];

const agentOf = (name: Name, tools: string[]): Agent => ({
  description: `Does what ${name} does.`,
  instructions: `You are ${name}.`,
  tools,
  maxSteps: 20,
  input: z.strictObject({ text: z.string().min(1) }),
  output: TaskResult,
  withoutApproval: tools.filter((tool) => tool.startsWith('write')),
});
const agents = {
  boss: agentOf('boss', ['delegate', 'set_plan', 'ask_person', 'look']),
  left: agentOf('left', ['look', 'write_left', 'delegate']),
  right: agentOf('right', ['look', 'write_right', 'delegate']),
};
const queues = names.map(agentQueue);

let harness: TaskHarness;
/** The effects, and their undos, in order. */
let world: string[] = [];

beforeAll(async () => {
  harness = await createTaskHarness({}, { agents, queues: [] });
  for (const name of ['delegate', 'set_plan', 'ask_person']) harness.useBuiltInTool(name);
  harness.tool('look', async (input) => {
    const { id } = input as { id: string };
    return { output: { passages: [passage(id, `This is what ${id} says.`)] }, summary: `looked at ${id}` };
  });
  for (const side of ['left', 'right'])
    harness.tool(
      `write_${side}`,
      async (_, { beforeSend }) => {
        await beforeSend();
        world.push(`did ${side}`);
        return { output: { did: side }, summary: `did ${side}` };
      },
      {
        effect: 'write',
        undo: async (_, __, { beforeSend }) => {
          await beforeSend();
          world.push(`undid ${side}`);
          return { summary: `undid ${side}` };
        },
      },
    );
  await harness.serve(queues);
}, 120_000);
beforeEach(() => {
  world = [];
});
afterAll(() => harness?.close());

type Turn = ScriptedTurn | ((request: ModelRequest) => ScriptedTurn);

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
const delegate = (agent: string, request: string, more: object = {}) => ({
  tool: 'delegate',
  arguments: { agent, request, ...more } as JsonValue,
});
const readOf = (id: string): ScriptedTurn => ({ calls: [{ tool: 'look', arguments: { id } }] });
const write = (side: string): ScriptedTurn => ({ calls: [{ tool: `write_${side}`, arguments: {} }] });
const untilAborted = (signal: AbortSignal) =>
  new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason as Error)));
const never: ScriptedTurn = { until: untilAborted };

/** What the tools of a request's newest results have returned. */
const outputsIn = (request: ModelRequest | undefined) => {
  const last = request?.messages.findLast((message) => message.role === 'tool');
  return last?.role === 'tool' ? last.results.map(({ output }) => output as Record<string, JsonValue>) : [];
};
const dataOf = <T extends TaskEvent['type']>(events: TaskEvent[], type: T) =>
  events.flatMap((event) => (event.type === type ? [event.data as Extract<TaskEvent, { type: T }>['data']] : []));

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

describe('delegation', () => {
  test('two agents work at the same time, and their parent cites the passages that they cite', async () => {
    const began: Record<'left' | 'right', PromiseWithResolvers<void>> = {
      left: Promise.withResolvers(),
      right: Promise.withResolvers(),
    };
    // Each ends only when the other has begun.
    const besides = (me: 'left' | 'right', other: 'left' | 'right'): ScriptedTurn => ({
      ...readOf(me),
      until: async () => {
        began[me].resolve();
        await began[other].promise;
      },
    });
    const requests = play({
      boss: [
        { calls: [delegate('left', 'What says left?'), delegate('right', 'What says right?')] },
        { text: ['Left is so [1], and right is so [2].'] },
      ],
      left: [besides('left', 'right'), { text: ['This is what left says [1].'] }],
      right: [besides('right', 'left'), { text: ['This is what right says [1].'] }],
    });
    const { id, row, events } = await runToEnd();
    expect(row.result?.citations).toMatchObject([
      { n: 1, chunkId: 'left', quote: 'This is what left says.' },
      { n: 2, chunkId: 'right', quote: 'This is what right says.' },
    ]);
    // Each child has numbered its passage 1; its answer comes with the numbers that they have here.
    expect(outputsIn(requests.boss[1])).toMatchObject([
      { agent: 'left', status: 'completed', answer: 'This is what left says [1].', passages: [{ n: 1 }] },
      { agent: 'right', status: 'completed', answer: 'This is what right says [2].', passages: [{ n: 2 }] },
    ]);
    const children = await childrenOf(id);
    expect(children.map(({ agent, status, parentId }) => ({ agent, status, parentId }))).toEqual([
      { agent: 'left', status: 'completed', parentId: id },
      { agent: 'right', status: 'completed', parentId: id },
    ]);
    expect(dataOf(events, 'delegation.started')).toMatchObject([{ agent: 'left' }, { agent: 'right' }]);
    expect(
      dataOf(events, 'delegation.ended')
        .map(({ agent, status }) => `${agent} ${status}`)
        .sort(),
    ).toEqual(['left completed', 'right completed']);
    // The usage of a task is its own, and beside it stands that of all.
    expect(row.children?.map(({ agent }) => agent)).toEqual(['left', 'right']);
    expect([row.usage.modelCalls, row.usageWithChildren?.modelCalls]).toEqual([2, 6]);
  });

  test('lists leave out delegated tasks, except those of one parent', async () => {
    play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }], left: [{ text: ['A.'] }] });
    const { id } = await runToEnd();
    const { tasks } = await harness.tasks.list(scope, { limit: 100 });
    expect(tasks.every(({ parentId }) => parentId === null)).toBe(true);
    expect(await childrenOf(id)).toHaveLength(1);
  });

  test('a child whose queue no worker serves delays its parent, and changes nothing else', async () => {
    play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [{ text: ['A.'] }],
    });
    await harness.serve([agentQueue('boss')]);
    const { id, handle } = await start();
    await until('the child is stored', async () => (await child(id, 'left'))?.status === 'queued');
    expect((await harness.row(id)).status).toBe('running');
    await harness.serve(queues);
    await handle.result();
    expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
    expect(await childrenOf(id)).toHaveLength(1);
  });

  test('workers that stop in the middle of a child lose nothing, and nothing is paid twice', async () => {
    const isReading = Promise.withResolvers<void>();
    play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [
        readOf('left'),
        {
          until: (signal) => {
            isReading.resolve();
            return untilAborted(signal);
          },
        },
        { text: ['Left [1].'] },
      ],
    });
    const { id, handle } = await start();
    await isReading.promise;
    await harness.restartWorkers();
    await handle.result();
    expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
    expect((await childrenOf(id)).map(({ status }) => status)).toEqual(['completed']);
  });
});

describe('a child without an answer', () => {
  test('that fails does not fail its parent, whose model reads why', async () => {
    const requests = play({
      boss: [{ calls: [delegate('left', 'A'), delegate('right', 'B')] }, { text: ['Left is missing.'] }],
      left: [{ error: new AlfredError('model_rejected', 'No such model.') }],
      right: [{ text: ['B.'] }],
    });
    const { row, events } = await runToEnd();
    expect(row.status).toBe('completed');
    expect(outputsIn(requests.boss[1])).toMatchObject([
      { agent: 'left', status: 'failed', code: 'model_rejected' },
      { agent: 'right', status: 'completed', answer: 'B.' },
    ]);
    expect(dataOf(events, 'delegation.ended')).toContainEqual(
      expect.objectContaining({
        agent: 'left',
        status: 'failed',
        error: expect.objectContaining({ code: 'model_rejected' }),
      }),
    );
  });

  test('that is cancelled alone does not cancel its parent', async () => {
    const requests = play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }], left: [never] });
    const { id, handle } = await start();
    await until('the child runs', async () => (await child(id, 'left'))?.status === 'running');
    await harness.control.tasks.cancel(scope, (await child(id, 'left'))?.id ?? '', {});
    await handle.result();
    expect(outputsIn(requests.boss[1])).toMatchObject([{ agent: 'left', status: 'cancelled' }]);
  });
});

describe('cancelling a parent', () => {
  test('cancels its children first', async () => {
    play({ boss: [{ calls: [delegate('left', 'A'), delegate('right', 'B')] }], left: [never], right: [never] });
    const { id, handle } = await start();
    await until('both run', async () => (await childrenOf(id)).filter((row) => row.status === 'running').length === 2);
    await harness.control.tasks.cancel(scope, id, { reason: 'Not needed.' });
    await handle.result().catch(() => {});
    const [row, children] = [await harness.row(id), await childrenOf(id)];
    expect([row.status, ...children.map(({ status }) => status)]).toEqual(['cancelled', 'cancelled', 'cancelled']);
    for (const { endedAt } of children) expect(String(endedAt) <= String(row.endedAt)).toBe(true);
  });

  test('with undo takes back what its children have changed, also those that had ended', async () => {
    play({
      boss: [{ calls: [delegate('left', 'A')] }, { calls: [delegate('right', 'B')] }],
      left: [write('left'), { text: ['A.'] }],
      right: [write('right'), never],
    });
    const { id, handle } = await start();
    await until('both have acted', () => world.length === 2);
    await until('right goes on', async () => (await child(id, 'right'))?.usage.modelCalls === 1);
    await harness.control.tasks.cancel(scope, id, { undo: true });
    await handle.result().catch(() => {});
    expect(world).toEqual(['did left', 'did right', 'undid right', 'undid left']);
    expect((await childrenOf(id)).map(({ status, effects }) => [status, effects[0]?.state])).toEqual([
      ['completed', 'undone'],
      ['cancelled', 'undone'],
    ]);
  });

  test('an undo of an ended task reaches the tasks below it', async () => {
    play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [write('left'), { text: ['A.'] }],
    });
    const { id } = await runToEnd();
    await harness.control.tasks.undo(scope, id);
    await until('it is undone', () => world.includes('undid left'));
    expect(world).toEqual(['did left', 'undid left']);
  });
});

describe('the budget', () => {
  test('of a child is a share; at its end it gives back what it has not spent', async () => {
    const requests = play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [readOf('left'), { text: ['never asked'] }],
    });
    // One call of the parent; of the three that are left the child gets one and the parent keeps two.
    const { id, row } = await runToEnd({ budget: { maxModelCalls: 4 } });
    expect((await child(id, 'left'))?.budget).toMatchObject({ maxModelCalls: 1, waitS: 0 });
    expect(outputsIn(requests.boss[1])).toMatchObject([{ agent: 'left', status: 'incomplete' }]);
    expect(row).toMatchObject({ status: 'completed', usageWithChildren: { modelCalls: 3 } });
  });

  test('of a child is what the model asks for, when there is so much', async () => {
    play({
      boss: [{ calls: [delegate('left', 'A', { budget: { maxModelCalls: 7 } })] }, { text: ['Done.'] }],
      left: [{ text: ['A.'] }],
    });
    const { id } = await runToEnd({ budget: { maxModelCalls: 10 } });
    expect((await child(id, 'left'))?.budget).toMatchObject({ maxModelCalls: 7 });
  });

  test('without room for a share makes the parent wait for a grant', async () => {
    play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }], left: [{ text: ['A.'] }] });
    const { id, handle } = await start({ budget: { maxModelCalls: 2 } });
    await until('it waits', async () => (await harness.row(id)).status === 'waiting');
    expect((await harness.row(id)).waiting).toMatchObject({ reason: 'budget', scope: 'task', limit: 'maxModelCalls' });
    await harness.control.tasks.grantBudget(scope, id, { maxModelCalls: 5 });
    await handle.result();
    expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
  });

  test('of a child takes no grant: it is its parent’s', async () => {
    play({ boss: [{ calls: [delegate('left', 'A')] }], left: [never] });
    const { id } = await start({ budget: { maxModelCalls: 9 } });
    await until('the child runs', async () => (await child(id, 'left'))?.status === 'running');
    const grant = harness.control.tasks.grantBudget(scope, (await child(id, 'left'))?.id ?? '', { maxModelCalls: 99 });
    await expect(grant).rejects.toMatchObject({ code: 'budget_refused', message: expect.stringContaining(id) });
    await harness.control.tasks.cancel(scope, id, {});
  });
});

describe('a delegation is refused, and the model reads why,', () => {
  const refusalOf = async (...calls: ReturnType<typeof delegate>[]) => {
    const requests = play({ boss: [{ calls }, { text: ['Done.'] }], left: [{ text: ['A.'] }, { text: ['B.'] }] });
    const { id } = await runToEnd();
    return { outputs: outputsIn(requests.boss[1]), children: await childrenOf(id) };
  };

  test('to an agent that does not exist', async () => {
    const { outputs, children } = await refusalOf(delegate('phantom', 'A'));
    expect(outputs).toEqual([{ error: expect.stringMatching(/no agent "phantom".*left, right/) }]);
    expect(children).toEqual([]);
  });

  test('to the agent itself', async () => {
    expect((await refusalOf(delegate('boss', 'A'))).outputs).toEqual([{ error: expect.stringContaining('already') }]);
  });

  test('with the same request to the same agent', async () => {
    const { outputs, children } = await refusalOf(delegate('left', 'A'), delegate('left', 'A'));
    expect(outputs[1]).toEqual({ error: expect.stringContaining('exactly this') });
    expect(children).toHaveLength(1);
  });

  test('up its own chain', async () => {
    const requests = play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [{ calls: [delegate('boss', 'B')] }, { text: ['A.'] }],
    });
    await runToEnd();
    expect(outputsIn(requests.left[1])).toEqual([{ error: expect.stringContaining('boss → left') }]);
  });
});

test('deleting a task hides the tasks below it, and sharing it shares them', async () => {
  play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }], left: [{ text: ['A.'] }] });
  const { id } = await runToEnd();
  const childId = (await child(id, 'left'))?.id ?? '';
  const reader = { ...scope, subject: 'ann' };
  expect(await harness.shares.findOwner(reader, { taskId: childId })).toBeUndefined();
  await harness.shares.setReaders(scope, { taskId: id }, ['subject:ann']);
  expect(await harness.shares.findOwner(reader, { taskId: childId })).toEqual(scope);
  await harness.erasure.deleteTask(scope, id);
  expect(await harness.tasks.get(scope, childId)).toBeUndefined();
  expect((await harness.erasure.listDue({ after: undefined, limit: 50 })).map(({ taskId }) => taskId)).toContain(
    childId,
  );
});

test('a plan is shown as an event, each time it is set', async () => {
  const plan = (status: string) => ({
    calls: [{ tool: 'set_plan', arguments: { items: [{ title: 'Ask left', agent: 'left', status }] } }],
  });
  play({ boss: [plan('running'), plan('done'), plan('running'), { text: ['Done.'] }] });
  const { events } = await runToEnd();
  expect(dataOf(events, 'plan.changed').map(({ items }) => items[0]?.status)).toEqual(['running', 'done', 'running']);
});

test('a question to the person ends the task with the question', async () => {
  play({
    boss: [{ calls: [{ tool: 'ask_person', arguments: { question: 'Which state?', choices: ['Texas', 'Ohio'] } }] }],
  });
  const { row } = await runToEnd();
  expect(row).toMatchObject({
    status: 'completed',
    result: { text: 'Which state?\n- Texas\n- Ohio', asks: { choices: ['Texas', 'Ohio'] } },
  });
});
