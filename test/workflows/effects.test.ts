import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Tool } from '../../contract/ports/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

let harness: TaskHarness;
/** What the world has seen: keys of calls, in order. */
let world: string[] = [];
let attempts = 0;
beforeAll(async () => void (harness = await createTaskHarness()));
beforeEach(() => {
  world = [];
  attempts = 0;
});
afterAll(() => harness?.close());

/** A tool that writes into the world, and then does what `after` says. */
function writes(name: string, after: (attempt: number) => void = () => {}, more: Partial<Tool> = {}) {
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
const done = async (calls: string[] = ['write']) => {
  harness.script([{ calls: calls.map((tool, i) => ({ tool, arguments: {}, callId: `c${i}` })) }, { text: ['Done.'] }]);
  const { id, handle } = await harness.start();
  await handle.result().catch(() => {});
  return { id, row: await harness.row(id), events: await harness.followToEnd(id) };
};
const toldOf = (events: Awaited<ReturnType<typeof done>>['events']) =>
  events.flatMap((event) => (event.type === 'tool.completed' ? [event.data] : []));
const broken = (attempt: number) => {
  if (attempt === 1) throw new Error('the process died here');
};

describe('a call whose outcome is unknown', () => {
  test('is not made again; the model is told that nobody knows', async () => {
    writes('write', broken);
    const { row, events } = await done();
    expect(world).toEqual(['1/c0']);
    expect(row).toMatchObject({ status: 'completed', effects: [{ tool: 'write', state: 'unknown' }] });
    expect(toldOf(events)).toMatchObject([{ isError: true, summary: expect.stringContaining('may or may not') }]);
  });

  test('is asked about, where the tool can ask: it had been done', async () => {
    const reconcile = async () => ({ state: 'done' as const, output: { found: true }, summary: 'found it' });
    writes('write', broken, { reconcile });
    const { row, events } = await done();
    expect(world).toEqual(['1/c0']);
    expect(row.effects).toMatchObject([{ state: 'done', summary: 'found it' }]);
    expect(toldOf(events)).toMatchObject([{ isError: false }]);
  });

  test('is made again when the tool finds that it had not been done', async () => {
    writes('write', broken, { reconcile: async () => ({ state: 'not_done' }) });
    expect((await done()).row.effects).toMatchObject([{ state: 'done' }]);
    expect(world).toEqual(['1/c0', '1/c0']);
  });

  test('is made again where the receiver tells repeats apart, under the same key', async () => {
    writes('write', broken, { repeatable: true });
    expect((await done()).row.effects).toMatchObject([{ state: 'done' }]);
    expect(world).toEqual(['1/c0', '1/c0']);
  });
});

test('what fails for certain is tried again, then told to the model', async () => {
  writes('write', (attempt) => {
    if (attempt < 3) throw new AlfredError('tool_failed', 'The receiver is down.');
  });
  expect((await done()).row.effects).toMatchObject([{ state: 'done' }]);
  writes('write', () => {
    throw new AlfredError('tool_failed', 'The receiver is down.');
  });
  const { row, events } = await done();
  expect(row).toMatchObject({ status: 'completed', effects: [{ state: 'failed' }] });
  expect(toldOf(events)).toMatchObject([{ isError: true, summary: 'The receiver is down.' }]);
});

test('an attempt that was taken for dead and another one do not both leave', async () => {
  const entered = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  harness.tool(
    'write',
    async (_, { beforeSend }) => {
      const mine = ++attempts;
      if (mine === 1) {
        entered.resolve();
        await late.promise;
      }
      await beforeSend();
      world.push(`attempt ${mine}`);
      return { output: {}, summary: 's' };
    },
    { effect: 'write' },
  );
  harness.script([{ calls: [{ tool: 'write', arguments: {}, callId: 'c0' }] }, { text: ['Done.'] }]);
  const { id, handle } = await harness.start();
  await entered.promise;
  // What a second worker does while the first one is silent.
  const task = { ...harness.scope, taskId: id, agent: 'knowledge' };
  await harness.effects.claimSend(task, { runId: handle.firstExecutionRunId }, { step: 1, callId: 'c0' }, false);
  late.resolve();
  await handle.result();
  expect(world).toEqual([]);
  expect((await harness.row(id)).effects).toMatchObject([{ state: 'unknown' }]);
});

describe('cancelling a task', () => {
  const undoing =
    (name: string): NonNullable<Tool['undo']> =>
    async (_, output, { beforeSend, receiptKey }) => {
      await beforeSend();
      world.push(`undo ${name} ${JSON.stringify(output)} ${receiptKey.split('/').slice(1).join('/')}`);
      return { summary: `took ${name} back` };
    };
  /** Two effects, one that cannot be undone, then a call that waits for ever. */
  const started = async () => {
    writes('first', undefined, { undo: undoing('first') });
    writes('second', undefined, { undo: undoing('second') });
    writes('last');
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

  test('shows what it has done and leaves it', async () => {
    const { id, handle } = await started();
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

  test('with undo takes back newest first, once, and says what cannot be', async () => {
    const { id, handle } = await started();
    await harness.tasks.recordCancelRequest(harness.scope, id, { undo: true });
    await handle.cancel();
    const events = await harness.followToEnd(id);
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

  test('an undo that fails says so and stops no other; one that breaks off is not made twice', async () => {
    const { id, handle } = await started();
    writes('first', undefined, {
      undo: async (_, __, { beforeSend }) => {
        await beforeSend();
        world.push('undo first');
        throw new Error('the process died here');
      },
    });
    writes('second', undefined, {
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

test('an agent does not get a tool that is not its own', async () => {
  harness.tools['stranger'] = {
    name: 'stranger',
    description: 's',
    inputSchema: {},
    run: async () => {
      world.push('stranger');
      return { output: null as JsonValue, summary: '' };
    },
  };
  const { events } = await done(['stranger']);
  expect(world).toEqual([]);
  expect(toldOf(events)).toMatchObject([{ isError: true, summary: 'There is no tool "stranger".' }]);
});
