import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Tool } from '../../contract/ports/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

let harness: TaskHarness;
/** Receipt keys of the calls that took effect, in order. */
let world: string[] = [];
let attempts = 0;
beforeAll(async () => {
  harness = await createTaskHarness();
});
beforeEach(() => {
  world = [];
  attempts = 0;
});
afterAll(() => harness?.close());

/** Adds a tool that takes effect, and then calls `after`. */
function addWriteTool(name: string, after: (attempt: number) => void = () => {}, more: Partial<Tool> = {}) {
  harness.tool(
    name,
    async (_, { beforeSend, receiptKey }) => {
      attempts++;
      await beforeSend();
      world.push(receiptKey.split('/').slice(1).join('/'));
      after(attempts);
      return { output: { did: name }, summary: `did ${name}` };
    },
    { effect: 'write', ...more },
  );
}
const runTask = async (calls: string[] = ['write']) => {
  harness.script([{ calls: calls.map((tool, i) => ({ tool, arguments: {}, callId: `c${i}` })) }, { text: ['Done.'] }]);
  const { id, handle } = await harness.start();
  await handle.result().catch(() => {});
  return { id, row: await harness.row(id), events: await harness.followToEnd(id) };
};
const completedToolCalls = (events: Awaited<ReturnType<typeof runTask>>['events']) =>
  events.flatMap((event) => (event.type === 'tool.completed' ? [event.data] : []));
const diesOnce = (attempt: number) => {
  if (attempt === 1) throw new Error('the process died here');
};

describe('a call whose outcome is unknown', () => {
  test('is not repeated, and the model learns that the outcome is unknown', async () => {
    addWriteTool('write', diesOnce);
    const { row, events } = await runTask();
    expect(world).toEqual(['1/c0']);
    expect(row).toMatchObject({ status: 'completed', effects: [{ tool: 'write', state: 'unknown' }] });
    expect(completedToolCalls(events)).toMatchObject([
      { isError: true, summary: expect.stringContaining('may or may not') },
    ]);
  });

  test('is reconciled, if the tool can: it had taken effect', async () => {
    const reconcile = async () => ({ state: 'done' as const, output: { found: true }, summary: 'found it' });
    addWriteTool('write', diesOnce, { reconcile });
    const { row, events } = await runTask();
    expect(world).toEqual(['1/c0']);
    expect(row.effects).toMatchObject([{ state: 'done', summary: 'found it' }]);
    expect(completedToolCalls(events)).toMatchObject([{ isError: false }]);
  });

  test('is repeated when the tool finds that it had not taken effect', async () => {
    addWriteTool('write', diesOnce, { reconcile: async () => ({ state: 'not_done' }) });
    expect((await runTask()).row.effects).toMatchObject([{ state: 'done' }]);
    expect(world).toEqual(['1/c0', '1/c0']);
  });

  test('is repeated under the same key if the receiver detects repeats', async () => {
    addWriteTool('write', diesOnce, { repeatable: true });
    expect((await runTask()).row.effects).toMatchObject([{ state: 'done' }]);
    expect(world).toEqual(['1/c0', '1/c0']);
  });
});

test('a tool that is gone when its call is repeated: the outcome is unknown if it was sent, else there is no such tool', async () => {
  const gone = (attempt: number) => {
    delete harness.tools.write;
    diesOnce(attempt);
  };
  addWriteTool('write', gone);
  const sent = await runTask();
  expect(sent.row).toMatchObject({ status: 'completed', effects: [{ tool: 'write', state: 'unknown' }] });
  expect(completedToolCalls(sent.events)).toMatchObject([
    {
      isError: true,
      summary: expect.stringMatching(/may or may not have taken effect.*there is no such tool any more/),
    },
  ]);
  harness.tool('write', async () => gone(1) as never, { effect: 'write' });
  const { row, events } = await runTask();
  expect(completedToolCalls(events)).toMatchObject([{ isError: true, summary: 'There is no tool "write".' }]);
  expect(row).toMatchObject({ status: 'completed', effects: [{ state: 'failed' }] });
  expect(world).toEqual(['1/c0']);
});

test('a failure without effect is retried, then reported to the model', async () => {
  addWriteTool('write', (attempt) => {
    if (attempt < 3) throw new AlfredError('tool_failed', 'The receiver is down.');
  });
  expect((await runTask()).row.effects).toMatchObject([{ state: 'done' }]);
  addWriteTool('write', () => {
    throw new AlfredError('tool_failed', 'The receiver is down.');
  });
  const { row, events } = await runTask();
  expect(row).toMatchObject({ status: 'completed', effects: [{ state: 'failed' }] });
  expect(completedToolCalls(events)).toMatchObject([{ isError: true, summary: 'The receiver is down.' }]);
});

test('the last failure of a tool with failureIsResult is reported to the model, though it changes nothing', async () => {
  const fails = async () => {
    attempts += 1;
    throw new AlfredError('tool_failed', 'The server is away.');
  };
  harness.tool('write', fails, { failureIsResult: true });
  const { row, events } = await runTask();
  expect(row).toMatchObject({ status: 'completed' });
  expect(completedToolCalls(events)).toMatchObject([{ isError: true, summary: 'The server is away.' }]);
  expect(attempts).toBe(5);
});

test('of an attempt that seemed dead and the next attempt, only one sends its request', async () => {
  const entered = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  harness.tool(
    'write',
    async (_, { beforeSend }) => {
      const attempt = ++attempts;
      if (attempt === 1) {
        entered.resolve();
        await late.promise;
      }
      await beforeSend();
      world.push(`attempt ${attempt}`);
      return { output: {}, summary: 's' };
    },
    { effect: 'write' },
  );
  harness.script([{ calls: [{ tool: 'write', arguments: {}, callId: 'c0' }] }, { text: ['Done.'] }]);
  const { id, handle } = await harness.start();
  await entered.promise;
  // A second worker claims the call while the first attempt is silent.
  const task = { ...harness.scope, taskId: id, agent: 'knowledge' };
  await harness.effects.claimSend(task, { runId: handle.firstExecutionRunId }, { step: 1, callId: 'c0' }, false);
  late.resolve();
  await handle.result();
  expect(world).toEqual([]);
  expect((await harness.row(id)).effects).toMatchObject([{ state: 'unknown' }]);
});

describe('cancelling a task', () => {
  const undoTool =
    (name: string): NonNullable<Tool['undo']> =>
    async (_, output, { beforeSend, receiptKey }) => {
      await beforeSend();
      world.push(`undo ${name} ${JSON.stringify(output)} ${receiptKey.split('/').slice(1).join('/')}`);
      return { summary: `took ${name} back` };
    };
  /** Starts a task with two effects, one more that cannot be undone, and then a model call that never ends. */
  const startTask = async () => {
    addWriteTool('first', undefined, { undo: undoTool('first') });
    addWriteTool('second', undefined, { undo: undoTool('second') });
    addWriteTool('last');
    harness.script([
      { calls: [{ tool: 'first', arguments: {}, callId: 'a' }] },
      { calls: [{ tool: 'second', arguments: {}, callId: 'b' }] },
      { calls: [{ tool: 'last', arguments: {}, callId: 'c' }] },
      { until: (signal) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason as Error))) },
    ]);
    const { id, handle } = await harness.start();
    await until('three calls are made', () => world.length >= 3);
    world = [];
    return { id, handle };
  };

  test('reports its effects and does not undo them', async () => {
    const { id, handle } = await startTask();
    await harness.tasks.recordCancelRequest(harness.scope, id, { reason: 'Enough.' });
    await handle.cancel();
    const last = (await harness.followToEnd(id)).at(-1);
    expect(last).toMatchObject({
      type: 'task.cancelled',
      data: {
        reason: 'Enough.',
        effects: [
          { tool: 'first', state: 'done' },
          { tool: 'second', state: 'done' },
          { tool: 'last', state: 'done' },
        ],
      },
    });
    expect(world).toEqual([]);
  });

  test('with undo takes effects back once, newest first, and reports what cannot be undone', async () => {
    const { id, handle } = await startTask();
    await harness.tasks.recordCancelRequest(harness.scope, id, { undo: true, reason: 'Off.' });
    // Another person cancels before the task has read the request.
    await harness.tasks.recordCancelRequest(harness.scope, id, { undo: undefined, by: 'eve' });
    await handle.cancel();
    const events = await harness.followToEnd(id);
    expect(events.at(-1)).toMatchObject({ type: 'task.cancelled', data: { reason: 'Off.' } });
    expect(world).toEqual(['undo second {"did":"second"} 2/b/undo', 'undo first {"did":"first"} 1/a/undo']);
    const undone = events.flatMap((event) => (event.type === 'effect.undone' ? [event.data] : []));
    expect(undone.map(({ tool, state }) => [tool, state])).toEqual([
      ['last', 'cannot_be_undone'],
      ['second', 'undone'],
      ['first', 'undone'],
    ]);
    expect((await harness.row(id)).effects.map(({ state }) => state)).toEqual(['undone', 'undone', 'cannot_be_undone']);
    await expect(handle.result()).rejects.toThrow();
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });

  test('a failed undo is reported and does not stop the others; an interrupted undo is not repeated', async () => {
    const { id, handle } = await startTask();
    addWriteTool('first', undefined, {
      undo: async (_, __, { beforeSend }) => {
        await beforeSend();
        world.push('undo first');
        throw new Error('the process died here');
      },
    });
    addWriteTool('second', undefined, {
      undo: async () => {
        throw new AlfredError('destination_forbidden', 'No way back.');
      },
    });
    await harness.tasks.recordCancelRequest(harness.scope, id, { undo: true });
    await handle.cancel();
    await harness.followToEnd(id);
    expect(world).toEqual(['undo first']);
    expect((await harness.row(id)).effects.map(({ state }) => state)).toEqual([
      'unknown',
      'undo_failed',
      'cannot_be_undone',
    ]);
  });
});

test('an agent cannot call a tool that it is not offered', async () => {
  harness.tools['stranger'] = {
    name: 'stranger',
    description: 's',
    inputSchema: {},
    run: async () => {
      world.push('stranger');
      return { output: null as JsonValue, summary: '' };
    },
  };
  const { events } = await runTask(['stranger']);
  expect(world).toEqual([]);
  expect(completedToolCalls(events)).toMatchObject([{ isError: true, summary: 'There is no tool "stranger".' }]);
});
