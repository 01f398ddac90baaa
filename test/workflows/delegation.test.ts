import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { agentQueue } from '../../contract/ids.ts';
import type { ScriptedTurn } from '../support/providers/scripted-model.ts';
import {
  createDelegationHarness,
  dataOf,
  delegate,
  never,
  outputsIn,
  queues,
  readOf,
  untilAborted,
  write,
  type DelegationHarness,
} from '../support/tasks/delegation-harness.ts';
import { scope } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

let harness: DelegationHarness;
beforeAll(async () => {
  harness = await createDelegationHarness();
}, 120_000);
beforeEach(() => {
  harness.effects.length = 0;
});
afterAll(() => harness?.close());

/** The first approval that a task shows. */
async function requestedAt(id: string) {
  for await (const page of harness.events.follow(scope, id, 0, AbortSignal.timeout(30_000)))
    for (const data of dataOf(page, 'approval.requested')) return data;
  throw new Error('the task has shown no approval');
}

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
    const requests = harness.play({
      boss: [
        { calls: [delegate('left', 'What says left?'), delegate('right', 'What says right?')] },
        { text: ['Left is so [1], and right is so [2].'] },
      ],
      left: [besides('left', 'right'), { text: ['This is what left says [1].'] }],
      right: [besides('right', 'left'), { text: ['This is what right says [1].'] }],
    });
    const { id, row, events } = await harness.runToEnd();
    expect(row.result?.citations).toMatchObject([
      { n: 1, chunkId: 'left', quote: 'This is what left says.' },
      { n: 2, chunkId: 'right', quote: 'This is what right says.' },
    ]);
    // Each child has numbered its passage 1; its answer comes with the numbers that they have here.
    expect(outputsIn(requests.boss[1])).toMatchObject([
      { agent: 'left', status: 'completed', answer: 'This is what left says [1].', passages: [{ n: 1 }] },
      { agent: 'right', status: 'completed', answer: 'This is what right says [2].', passages: [{ n: 2 }] },
    ]);
    const children = await harness.childrenOf(id);
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

  test('the files of a child are named in its answer, in the events and in the parent', async () => {
    const requests = harness.play({
      boss: [{ calls: [delegate('left', 'A table')] }, { text: ['See table.csv.'] }],
      left: [readOf('table'), { text: ['I made table.csv.'] }],
    });
    const { id, row, events } = await harness.runToEnd();
    const [child] = await harness.childrenOf(id);
    expect(outputsIn(requests.boss[1])).toMatchObject([{ agent: 'left', status: 'completed', files: ['table.csv'] }]);
    expect(row.artifacts).toMatchObject([{ taskId: child?.id, name: 'table.csv', mediaType: 'text/csv', bytes: 4 }]);
    expect(dataOf(events, 'delegation.ended')).toMatchObject([{ artifacts: row.artifacts }]);
    // Its own event is among those of the child.
    expect(dataOf(events, 'artifact.created')).toEqual([]);
  });

  test('lists leave out delegated tasks, except those of one parent', async () => {
    harness.play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }], left: [{ text: ['A.'] }] });
    const { id } = await harness.runToEnd();
    const { tasks } = await harness.tasks.list(scope, { limit: 100 });
    expect(tasks.every(({ parentId }) => parentId === null)).toBe(true);
    expect(await harness.childrenOf(id)).toHaveLength(1);
  });

  test('a child whose queue no worker serves delays its parent, and changes nothing else', async () => {
    harness.play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [{ text: ['A.'] }],
    });
    await harness.serve([agentQueue('boss')]);
    const { id, handle } = await harness.start();
    await until('the child is stored', async () => (await harness.child(id, 'left'))?.status === 'queued');
    expect((await harness.row(id)).status).toBe('running');
    await harness.serve(queues);
    await handle.result();
    expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
    expect(await harness.childrenOf(id)).toHaveLength(1);
  });

  test('workers that stop in the middle of a child lose nothing, and nothing is paid twice', async () => {
    const isReading = Promise.withResolvers<void>();
    harness.play({
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
    const { id, handle } = await harness.start();
    await isReading.promise;
    await harness.restartWorkers();
    await handle.result();
    expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
    expect((await harness.childrenOf(id)).map(({ status }) => status)).toEqual(['completed']);
  });
});

describe('a child without an answer', () => {
  test('that fails does not fail its parent, whose model reads why', async () => {
    const requests = harness.play({
      boss: [{ calls: [delegate('left', 'A'), delegate('right', 'B')] }, { text: ['Left is missing.'] }],
      left: [{ error: new AlfredError('model_rejected', 'No such model.') }],
      right: [{ text: ['B.'] }],
    });
    const { row, events } = await harness.runToEnd();
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

  test('that waits for an approval shows it at its parent too, and so the decision', async () => {
    harness.play({
      boss: [{ calls: [delegate('left', 'Sign it.')] }, { text: ['It is signed.'] }],
      left: [{ calls: [{ tool: 'sign', arguments: { paper: 'lease' } }] }, { text: ['Signed.'] }],
    });
    const { id, handle } = await harness.start();
    const asked = await requestedAt(id);
    const child = await harness.child(id, 'left');
    expect(asked).toMatchObject({ taskId: child?.id, tool: 'sign', arguments: { paper: 'lease' } });
    const signer = { ...scope, subject: 'sam', roles: ['user', 'signer'], groups: [], scopes: [], kind: 'person' };
    await harness.control.approvals.decide(signer as never, asked.approvalId, {
      decision: 'approve',
      argumentsHash: asked.argumentsHash,
    });
    await handle.result();
    expect(harness.effects).toEqual(['signed']);
    const events = await harness.followToEnd(id);
    expect(dataOf(events, 'approval.decided')).toMatchObject([{ taskId: child?.id, runs: true, by: 'sam' }]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const own = await harness.followToEnd(child?.id ?? '');
    expect(dataOf(own, 'approval.requested')[0]?.taskId).toBeUndefined();
  });

  test('that is cancelled alone does not cancel its parent', async () => {
    const requests = harness.play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }], left: [never] });
    const { id, handle } = await harness.start();
    await until('the child runs', async () => (await harness.child(id, 'left'))?.status === 'running');
    await harness.control.tasks.cancel(scope, (await harness.child(id, 'left'))?.id ?? '', {});
    await handle.result();
    expect(outputsIn(requests.boss[1])).toMatchObject([{ agent: 'left', status: 'cancelled' }]);
  });
});

describe('cancelling a parent', () => {
  test('cancels its children first', async () => {
    harness.play({ boss: [{ calls: [delegate('left', 'A'), delegate('right', 'B')] }], left: [never], right: [never] });
    const { id, handle } = await harness.start();
    await until(
      'both run',
      async () => (await harness.childrenOf(id)).filter((row) => row.status === 'running').length === 2,
    );
    await harness.control.tasks.cancel(scope, id, { reason: 'Not needed.' });
    await handle.result().catch(() => {});
    const [row, children] = [await harness.row(id), await harness.childrenOf(id)];
    expect([row.status, ...children.map(({ status }) => status)]).toEqual(['cancelled', 'cancelled', 'cancelled']);
    for (const { endedAt } of children) expect(String(endedAt) <= String(row.endedAt)).toBe(true);
  });

  test('with undo takes back what its children have changed, also those that had ended', async () => {
    harness.play({
      boss: [{ calls: [delegate('left', 'A')] }, { calls: [delegate('right', 'B')] }],
      left: [write('left'), { text: ['A.'] }],
      right: [write('right'), never],
    });
    const { id, handle } = await harness.start();
    await until('both have acted', () => harness.effects.length === 2);
    await until('right goes on', async () => (await harness.child(id, 'right'))?.usage.modelCalls === 1);
    await harness.control.tasks.cancel(scope, id, { undo: true });
    await handle.result().catch(() => {});
    expect(harness.effects).toEqual(['did left', 'did right', 'undid right', 'undid left']);
    expect((await harness.childrenOf(id)).map(({ status, effects }) => [status, effects[0]?.state])).toEqual([
      ['completed', 'undone'],
      ['cancelled', 'undone'],
    ]);
  });

  test('an undo of an ended task reaches the tasks below it', async () => {
    harness.play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [write('left'), { text: ['A.'] }],
    });
    const { id } = await harness.runToEnd();
    await harness.control.tasks.undo(scope, id);
    await until('it is undone', () => harness.effects.includes('undid left'));
    expect(harness.effects).toEqual(['did left', 'undid left']);
  });
});
