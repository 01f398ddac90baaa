import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { Delegations } from '../../contract/ports/index.ts';
import { person } from '../support/principals.ts';
import {
  createDelegationHarness,
  dataOf,
  delegate,
  never,
  outputsIn,
  write,
  type DelegationHarness,
} from '../support/tasks/delegation-harness.ts';
import { scope } from '../support/tasks/task-harness.ts';
import { historyText } from '../support/tasks/history-text.ts';
import { until } from '../support/until.ts';

let harness: DelegationHarness;
let begin: Delegations['begin'];
beforeAll(async () => {
  harness = await createDelegationHarness();
  const { delegations } = harness;
  const stored = { ...delegations };
  begin = (...args) => stored.begin(...args);
}, 120_000);
beforeEach(() => {
  harness.effects.length = 0;
  harness.delegations.begin = begin;
});
afterAll(() => harness?.close());

const runsTask = (id: string) =>
  until(`${id} calls its model`, async () => {
    const { rows } = await harness.postgres.pool.query('select from model_calls where task_id = $1', [id]);
    return rows.length > 0;
  });

/** Stores a child of a running task and starts it, as the sweep does after a loss of Temporal. */
async function startUnknownChild(parentId: string) {
  const { rows } = await harness.postgres.pool.query<{ run_id: string }>('select run_id from tasks where id = $1', [
    parentId,
  ]);
  const parent = { ...scope, taskId: parentId, agent: 'boss' };
  const made = { step: 7, callId: 'lost', agent: 'left', input: { text: 'A' }, asked: {}, agentBudget: {}, among: 1 };
  const begun = await begin(parent, { runId: rows[0]?.run_id ?? '' }, made);
  if ('refused' in begun) throw new Error(begun.refused);
  await harness.workflows.restartTask(begun.child);
  return begun.child.taskId;
}

/** From now on children are started by another run right before their parent starts them. */
function startByAnotherRun() {
  harness.delegations.begin = async (...args) => {
    const begun = await begin(...args);
    if ('child' in begun) await harness.workflows.restartTask(begun.child);
    return begun;
  };
}

describe('a parent that ends without an answer', () => {
  test('ends children first that it does not know, and undoes what they did', async () => {
    harness.play({ boss: [never], left: [write('left'), never] });
    const { id, handle } = await harness.start();
    await runsTask(id);
    const childId = await startUnknownChild(id);
    await until('it has acted', () => harness.effects.length === 1);
    await harness.control.tasks.cancel(scope, id, { undo: true });
    await handle.result().catch(() => {});
    const [row, child] = [await harness.row(id), await harness.row(childId)];
    expect([row.status, child.status]).toEqual(['cancelled', 'cancelled']);
    expect(String(child.endedAt) <= String(row.endedAt)).toBe(true);
    expect(harness.effects).toEqual(['did left', 'undid left']);
    expect(dataOf(await harness.followToEnd(id), 'delegation.ended')).toMatchObject([
      { taskId: childId, status: 'cancelled' },
    ]);
  });

  test('ends the children of its step when another of its calls cannot be stored', async () => {
    harness.play({ boss: [{ calls: [delegate('left', 'A'), delegate('right', 'B')] }] });
    harness.delegations.begin = (parent, run, made) =>
      made.agent === 'right' ? Promise.reject(new AlfredError('model_rejected', 'broken')) : begin(parent, run, made);
    const { id, row } = await harness.runToEnd();
    expect(row.status).toBe('failed');
    expect((await harness.childrenOf(id)).map(({ agent, status }) => [agent, status])).toEqual([['left', 'cancelled']]);
  });

  test('is undone together with a child that still runs', async () => {
    harness.play({ boss: [never], left: [write('left'), never] });
    const { id, handle } = await harness.start();
    await runsTask(id);
    const childId = await startUnknownChild(id);
    await until('it has acted', () => harness.effects.length === 1);
    await handle.terminate();
    await harness.control.tasks.undo(scope, id);
    await until('it is undone', () => harness.effects.includes('undid left'));
    await until('it has ended', async () => (await harness.row(childId)).status === 'cancelled');
  });
});

describe('a child that another run has started', () => {
  test('is waited for by timers, which hold no place of a worker', async () => {
    startByAnotherRun();
    const goOn = Promise.withResolvers<void>();
    const requests = harness.play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [{ text: ['A.'], until: () => goOn.promise }],
    });
    const { id, handle } = await harness.start();
    await until('it waits', async () =>
      (await historyText(harness.client, taskWorkflowId(id))).includes('TIMER_STARTED'),
    );
    goOn.resolve();
    await handle.result();
    expect(outputsIn(requests.boss[1])).toMatchObject([{ agent: 'left', answer: 'A.' }]);
  });

  test('is cancelled with its parent', async () => {
    startByAnotherRun();
    harness.play({ boss: [{ calls: [delegate('left', 'A')] }], left: [never] });
    const { id, handle } = await harness.start();
    await until('the child runs', async () => (await harness.child(id, 'left'))?.status === 'running');
    await harness.control.tasks.cancel(scope, id, {});
    await handle.result().catch(() => {});
    expect([(await harness.row(id)).status, (await harness.child(id, 'left'))?.status]).toEqual([
      'cancelled',
      'cancelled',
    ]);
  });
});

test('the time in which a child waits for a person is no working time of its parent', async () => {
  harness.tool('guarded', async () => ({ output: 'ok', summary: 'ok' }), { approvals: [{}] });
  harness.play({
    boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
    left: [{ calls: [{ tool: 'guarded', arguments: {} }] }, { text: ['A.'] }],
  });
  const { id, handle } = await harness.start({ budget: { maxDurationS: 2 } });
  const approval = await until('the child waits', async () => {
    const { approvals } = await harness.approvals.list(person('local'), { status: 'pending', limit: 5 });
    return approvals[0];
  });
  // Longer than the parent may work. Nothing but time can show it.
  const history = await until('its time is over', () => historyText(harness.client, taskWorkflowId(id)), {
    accept: (text) => text.includes('waitedBelow'),
  });
  // A run after a reset does not count what was waited for before it.
  expect(history).toMatch(/"sinceMs":\d{13}/);
  await harness.control.approvals.decide(person('local'), approval?.id ?? '', { decision: 'approve' });
  await handle.result();
  expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
});

test('a grant that comes while a child waits for a person gives its parent time', async () => {
  harness.tool('guarded', async () => ({ output: 'ok', summary: 'ok' }), { approvals: [{}] });
  const goOn = Promise.withResolvers<void>();
  harness.play({
    boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
    left: [{ calls: [{ tool: 'guarded', arguments: {} }] }, { text: ['A.'], until: () => goOn.promise }],
  });
  const { id, handle } = await harness.start({ budget: { maxDurationS: 2 } });
  const approval = await until('the child waits', async () => {
    const { approvals } = await harness.approvals.list(person('local'), { status: 'pending', limit: 5 });
    return approvals[0];
  });
  const history = () => historyText(harness.client, taskWorkflowId(id));
  await until('its time is over', async () => (await history()).includes('waitedBelow'));
  await harness.control.tasks.grantBudget(scope, id, { maxDurationS: 600 });
  await harness.control.approvals.decide(person('local'), approval?.id ?? '', { decision: 'approve' });
  await until('the grant counts', async () => (await history()).includes('a-grant-while-a-child-waits-counts'));
  goOn.resolve();
  await handle.result();
  expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
  expect((await harness.child(id, 'left'))?.status).toBe('completed');
});

describe('a message that steers', () => {
  const isSteered = (taskId: string) =>
    until(`${taskId} is steered`, async () =>
      /"signalName":\s*"steer"/.test(await historyText(harness.client, taskWorkflowId(taskId))),
    );
  const userTexts = (request: { messages: { role: string; text?: string }[] } | undefined) =>
    request?.messages.flatMap((message) => (message.role === 'user' ? [message.text] : []));

  async function converse() {
    const { id } = await harness.conversationRows.create(scope, { agent: 'boss' }, { onBusy: 'steer' });
    const say = (text: string) => harness.messages.submit(person('local'), id, { id: crypto.randomUUID(), text });
    /** The turn ends a little later than its task. */
    const quiet = () =>
      until('the turn has ended', async () => (await harness.conversationRows.get(scope, id))?.runningTaskId === null);
    return { say, quiet };
  }

  test('reaches the children that run and those below them at their next step, and then the parent', async () => {
    const deep = Promise.withResolvers<string>();
    const requests = harness.play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [{ calls: [delegate('right', 'B')] }, { text: ['A.'] }],
      right: [
        {
          calls: [{ tool: 'look', arguments: { id: 'b' } }],
          until: async () => {
            await isSteered(await deep.promise);
          },
        },
        { text: ['B.'] },
      ],
    });
    const { say, quiet } = await converse();
    const { taskId = '' } = await say('Ask.');
    const left = await until('left delegates', async () => (await harness.child(taskId ?? '', 'left'))?.id);
    const right = await until('right runs', async () => (await harness.child(left ?? '', 'right'))?.id);
    await runsTask(right ?? '');
    expect(await say('Only in euros.')).toMatchObject({ outcome: 'steered' });
    deep.resolve(right ?? '');
    await until('it has ended', async () => (await harness.row(taskId ?? '')).status === 'completed');
    expect(userTexts(requests.right[0])).toEqual(['B']);
    expect(userTexts(requests.right[1])).toEqual([
      'B',
      expect.stringMatching(/^While you work.*\n\nOnly in euros\.$/s),
    ]);
    expect(userTexts(requests.left[1])).toEqual(['A', expect.stringContaining('Only in euros.')]);
    expect(userTexts(requests.boss[1])).toEqual(['Ask.', 'Only in euros.']);
    for (const steered of [taskId ?? '', left ?? '', right ?? ''])
      expect(dataOf(await harness.followToEnd(steered), 'message.steered')).toMatchObject([{ text: 'Only in euros.' }]);
    // A child that is delegated afterwards does not get it again, because its parent knew it.
    const again = harness.play({
      boss: [{ calls: [delegate('left', 'C')] }, { text: ['Done.'] }],
      left: [{ text: ['C.'] }],
    });
    await quiet();
    const next = await say('More.');
    await until('it has ended', async () => (await harness.row(next.taskId ?? '')).status === 'completed');
    expect(userTexts(again.left[0])).toEqual(['C']);
  });

  test('that comes while the parent writes its request is read by the child from the start', async () => {
    const steered = Promise.withResolvers<string>();
    const requests = harness.play({
      boss: [
        {
          calls: [delegate('left', 'A')],
          until: async () => {
            await isSteered(await steered.promise);
          },
        },
        { text: ['Done.'] },
      ],
      left: [{ text: ['A.'] }],
    });
    const { say } = await converse();
    const { taskId = '' } = await say('Ask.');
    await until('it runs', async () => (await harness.row(taskId ?? '')).status === 'running');
    expect(await say('Only in euros.')).toMatchObject({ outcome: 'steered' });
    steered.resolve(taskId ?? '');
    await until('it has ended', async () => (await harness.row(taskId ?? '')).status === 'completed');
    expect(userTexts(requests.left[0])).toEqual(['A', expect.stringContaining('Only in euros.')]);
    expect(userTexts(requests.boss[1])).toEqual(['Ask.', 'Only in euros.']);
  });
});
