import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import { createDelegations } from '../../../adapters/postgres/delegations/delegations.ts';
import { eraseTask } from '../../../adapters/postgres/erasure/erase-task.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { createLedgerHarness, local, run, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';
import { person } from '../../support/principals.ts';

const plan = { model: 'scripted:x' };

let harness: LedgerHarness;
let rows: ReturnType<typeof createConversationRows>;
let turns: ReturnType<typeof createConversationTurns>;
beforeAll(async () => {
  harness = await createLedgerHarness();
  rows = createConversationRows(harness.db);
  turns = createConversationTurns(harness.db);
});
afterAll(() => harness?.close());

let say: (id: string) => Promise<unknown>;
let root: TaskRef & { head: string };
beforeEach(async () => {
  const { id: conversationId, agent } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'steer' });
  const ref = { ...local, conversationId, agent };
  say = async (id) => {
    await rows.storeMessage(person(local.subject), conversationId, { id, text: id });
    return turns.decide(ref, [id]);
  };
  await say('question');
  const begun = await turns.begin(ref, () => ({ budget: {} }));
  if (!begun) throw new Error('no turn');
  root = { ...begun.task, head: begun.head };
  await harness.tasks.start(root, run, plan);
});

/** Delegates in a step of `parent`, and starts the child. */
async function delegate(parent: TaskRef, step: number, agent: string) {
  const made = {
    step,
    callId: agent,
    agent,
    input: { text: `step ${step} for ${agent}` },
    asked: {},
    agentBudget: {},
    among: 1,
  };
  const begun = await createDelegations(harness.db).begin(parent, run, made);
  if ('refused' in begun) throw new Error(begun.refused);
  const started = await harness.tasks.start(begun.child, run, plan);
  return { ...begun.child, isSteered: 'isSteered' in started && started.isSteered };
}
const take = (task: TaskRef & { head: string }, step: number, head = task.head) =>
  turns.takeSteering(task, { step, head, results: [] });
const textsOf = async (head: string) =>
  (await harness.messageStore.load(local, head)).messages.map((message) =>
    message.role === 'user' ? message.text.split(/\n| for /).at(-1) : message.role,
  );

test('a child takes what comes while it runs, once, and its parent takes it too', async () => {
  const child = await delegate(root, 1, 'left');
  expect(child.isSteered).toBe(false);
  await say('a');
  const { head } = await take(child, 2);
  expect(await textsOf(head)).toEqual(['left', 'a']);
  await say('b');
  // A repeat for the same step, and the next one.
  expect(await take(child, 2)).toEqual({ head, hasMore: true });
  expect(await textsOf((await take(child, 3, head)).head)).toEqual(['left', 'a', 'b']);
  expect(await textsOf((await take(root, 2)).head)).toEqual(['question', 'a', 'b']);
  // A run that begins again from the rows finds the same messages step by step.
  expect(await harness.tasks.start(child, { runId: 'run-2' }, plan)).toMatchObject({ isSteered: true });
  expect(await take(child, 1)).toEqual({ head: child.head, hasMore: true });
  expect(await take(child, 2)).toEqual({ head, hasMore: true });
});

test('a child does not get what the tasks above it knew when they asked for it', async () => {
  await say('known');
  await take(root, 2);
  await say('news');
  const child = await delegate(root, 2, 'left');
  expect(child.isSteered).toBe(true);
  const { head } = await take(child, 1);
  expect(await textsOf(head)).toEqual(['left', 'news']);
  const below = await delegate(child, 1, 'right');
  expect(below.isSteered).toBe(false);
  await say('later');
  await take(root, 3);
  expect(await textsOf((await take(below, 1)).head)).toEqual(['right', 'later']);
  const after = await delegate(root, 3, 'left');
  expect([after.isSteered, await take(after, 1)]).toEqual([false, { head: after.head }]);
});

test('is erased with the child that took it', async () => {
  const child = await delegate(root, 1, 'left');
  await say('secret');
  const { head } = await take(child, 1);
  await harness.tasks.close(child, run, { status: 'cancelled', reason: 'test' });
  await harness.pool.query('update tasks set erased_at = now(), erase_requested_at = now() where id = $1', [
    child.taskId,
  ]);
  await eraseTask(harness.db, child);
  const { rows: left } = await harness.pool.query('select from messages where hash = $1', [head]);
  const { rows: taken } = await harness.pool.query('select from task_steering where task_id = $1', [child.taskId]);
  expect([left, taken]).toEqual([[], []]);
});
