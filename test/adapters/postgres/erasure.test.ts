import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kysely, PostgresDialect } from 'kysely';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createApprovals } from '../../../adapters/postgres/approvals/approvals.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import { createEffects } from '../../../adapters/postgres/ledger/effects.ts';
import { createErasure } from '../../../adapters/postgres/erasure/erasure.ts';
import { eraseTasks } from '../../../adapters/postgres/erasure/erase-tasks.ts';
import { createLedger } from '../../../adapters/postgres/ledger/ledger.ts';
import { sweepRetention } from '../../../activities/sweep/sweep-retention.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import {
  completedCall,
  createLedgerHarness,
  local,
  run,
  type LedgerHarness,
} from '../../support/ledger/ledger-harness.ts';
import { person } from '../../support/principals.ts';

let harness: LedgerHarness;
const statements: string[] = [];
const createParts = () => {
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: harness.pool }),
    log: ({ query }) => void statements.push(query.sql),
  });
  return { erasure: createErasure(db, harness.log), metrics: createMetrics() };
};
let parts: ReturnType<typeof createParts>;
beforeAll(async () => {
  harness = await createLedgerHarness();
  parts = createParts();
});
afterAll(() => harness?.close());

const end = (task: TaskRef) => harness.tasks.close(task, undefined, { status: 'cancelled', reason: 'test' });
const newCall = { ...run, callId: 'c1', tool: 'look', step: 1, arguments: {} };
const outcomeOf = (output: string) => ({
  callId: 'c1',
  tool: 'look',
  step: 1,
  output,
  isError: false,
  summary: 's',
  durationMs: 1,
  maxCharacters: 1_000,
});
const countContents = async (text: string) =>
  (await harness.pool.query(`select from contents where position($1::bytea in bytes) > 0`, [Buffer.from(text)])).rows
    .length;
const countMessages = async (text: string) =>
  (await harness.pool.query(`select from messages where position($1 in body::text) > 0`, [text])).rows.length;
const erased = `select from tasks where id = $1 and erased_at is not null and erase_requested_at is null`;
const isErased = async ({ taskId }: TaskRef) => (await harness.pool.query(erased, [taskId])).rows.length > 0;
const removesNone = { removeExpired: async () => 0 };
const sweep = () =>
  sweepRetention(
    {
      ...parts,
      callbacks: { removeOldSecrets: async () => 0 },
      conversationRows: { markDeleted: async () => undefined },
      messages: { wake: async () => {} },
      memories: removesNone,
      socialWatches: { removeOld: async () => 0 },
      contactIngests: removesNone,
      limits: removesNone,
      browserSessions: { removeEnded: async () => 0 },
      slackRunResults: { giveUp: async () => [] },
      auditStore: { removeOldPending: async () => 0 },
      retentionOf: () => ({}),
      log: harness.log,
    },
    new AbortController().signal,
  );

test('a result that is stored while its task is erased goes with it', async () => {
  const { task } = await harness.newTask();
  await harness.ledger.beginToolCall(task, newCall);
  await end(task);
  let erasing: Promise<void> | undefined;
  await harness.db.transaction().execute(async (trx) => {
    await createLedger(trx).completeToolCall(task, outcomeOf('DURING'));
    erasing = eraseTasks(harness.db, local, [task.taskId]);
    await harness.untilStatementsWait(1);
  });
  await erasing;
  expect(await countContents('DURING')).toBe(0);
});

test('a result that comes after its task was erased is refused', async () => {
  const { task } = await harness.newTask();
  await harness.ledger.beginToolCall(task, newCall);
  await end(task);
  await parts.erasure.deleteTask(local, task.taskId);
  const late = harness.ledger.completeToolCall(task, outcomeOf('AFTERWARDS'));
  await expect(late).rejects.toMatchObject({ code: 'superseded' });
  expect(await countContents('AFTERWARDS')).toBe(0);
});

test('an answer that comes after its task was erased is paid, and the sweep removes it', async () => {
  const { task, head } = await harness.newTask();
  const call = await harness.begin(task);
  await end(task);
  await parts.erasure.deleteTask(local, task.taskId);
  await harness.ledger.settleModelCall(task, completedCall(call, head, 'TOO LATE'));
  expect(await countContents('TOO LATE')).toBe(1);
  await sweep();
  expect([await countContents('TOO LATE'), await countMessages('TOO LATE')]).toEqual([0, 0]);
  expect(await harness.outcomesOf(task)).toEqual(['completed']);
  expect(await isErased(task)).toBe(true);
});

test('an answer that comes while its task is erased, after the messages have gone, is removed by the sweep', async () => {
  const { task, head } = await harness.newTask();
  const call = await harness.begin(task);
  await end(task);
  const events = await harness.pool.connect();
  await events.query('begin');
  await events.query(`select from task_events where task_id = '${task.taskId}' for update`);
  const deleted = parts.erasure.deleteTask(local, task.taskId);
  await harness.untilStatementsWait(1);
  await harness.ledger.settleModelCall(task, completedCall(call, head, 'IN BETWEEN'));
  await events.query('commit');
  events.release();
  await deleted;
  await sweep();
  expect([await countMessages('IN BETWEEN'), await countContents('IN BETWEEN')]).toEqual([0, 0]);
  expect(await isErased(task)).toBe(true);
});

test('an answer that comes after its task was erased takes no messages of other tasks with the same question', async () => {
  const [one, other] = [await harness.newTask(), await harness.newTask()];
  expect(one.head).toBe(other.head);
  const otherCall = await harness.begin(other.task);
  await harness.ledger.settleModelCall(other.task, completedCall(otherCall, other.head, 'OF ANOTHER'));
  const call = await harness.begin(one.task);
  await end(one.task);
  await parts.erasure.deleteTask(local, one.task.taskId);
  await harness.ledger.settleModelCall(one.task, completedCall(call, one.head, 'AFTER ALL'));
  await sweep();
  expect([await countMessages('AFTER ALL'), await isErased(one.task)]).toEqual([0, true]);
  expect((await harness.messageStore.load(local, other.head)).messages).toHaveLength(1);
  expect(await countMessages('OF ANOTHER')).toBe(1);
});

test('of many tasks with one question only the messages of the erased one are looked at, and removed at once', async () => {
  const [one, other] = [await harness.newTask(), await harness.newTask()];
  const call = await harness.begin(one.task);
  let { head } = one;
  for (let step = 0; step < 40; step++)
    head = await harness.messageStore.append(local, head, { role: 'user', text: `LONG ${step}` });
  await harness.ledger.settleModelCall(one.task, completedCall(call, head, 'LONG answer'));
  const otherCall = await harness.begin(other.task);
  await harness.ledger.settleModelCall(other.task, completedCall(otherCall, other.head, 'OTHER answer'));
  await end(one.task);
  statements.length = 0;
  await parts.erasure.deleteTask(local, one.task.taskId);
  expect(await countMessages('LONG')).toBe(0);
  expect((await harness.messageStore.load(local, other.head)).messages).toHaveLength(1);
  expect(await countMessages('OTHER answer')).toBe(1);
  expect(statements.filter((statement) => /with recursive part/.test(statement))).toEqual([]);
  expect(statements.filter((statement) => /delete from messages/.test(statement))).toHaveLength(1);
});

test('a note and a result that come after their task was erased leave no content', async () => {
  const { task } = await harness.newTask();
  const approvals = createApprovals(harness.db);
  await harness.tasks.start(task, run, { model: 'm' });
  const rule = { approvers: {}, fourEyes: false, expiresS: 60, onExpiry: 'deny' } as const;
  const [state] = await approvals.request(task, run, [
    { step: 1, callId: 'c1', tool: 'look', arguments: {}, rule: { ...rule, tool: 'look' } },
  ]);
  const id = state && 'pending' in state ? state.pending.id : '';
  const ada = person('ada');
  const note = (await approvals.storeDecision(ada, id, { comment: 'IN TIME' })) ?? '';
  expect(await approvals.storeDecision(ada, id, { comment: 'IN TIME' })).toBe(note);
  expect(await approvals.loadNote(id, note)).toEqual({ comment: 'IN TIME' });
  await harness.tasks.storeResult(task, run, { text: 'PARTIAL', citations: [] });
  expect((await harness.tasks.get(local, task.taskId))?.result).toBeNull();
  await end(task);
  expect((await harness.tasks.get(local, task.taskId))?.result).toBeNull();
  // A person decides while the approval is removed.
  const erasing = await harness.pool.connect();
  await erasing.query('begin');
  await erasing.query('select from approvals where id = $1 for update', [id]);
  const late = approvals.storeDecision(ada, id, { comment: 'NEVER SAID' });
  await harness.untilStatementsWait(1);
  await erasing.query('delete from approvals where id = $1', [id]);
  await erasing.query('commit');
  erasing.release();
  await late;
  await parts.erasure.deleteTask(local, task.taskId);
  const result = harness.tasks.storeResult(task, run, { text: 'AFTERWARDS', citations: [] });
  await expect(result).rejects.toMatchObject({ code: 'superseded' });
  const left = [];
  for (const text of ['PARTIAL', 'NEVER SAID', 'AFTERWARDS']) left.push(await countContents(text));
  expect(left).toEqual([0, 0, 0]);
});

test('content that an undo needs stays until the undo has ended, or could not for a week', async () => {
  const effects = createEffects(harness.db);
  const undoing = [];
  for (const callId of ['one', 'two']) {
    const { task } = await harness.newTask();
    await harness.ledger.beginToolCall(task, { ...newCall, callId });
    await harness.ledger.completeToolCall(task, { ...outcomeOf(`PAID ${callId}`), callId });
    await harness.pool.query(`update tool_calls set effect = 'write', left_at = now() where task_id = $1`, [
      task.taskId,
    ]);
    await end(task);
    expect(await effects.requestUndo(local, task.taskId)).toMatchObject({ undone: [task], ending: [] });
    expect(await parts.erasure.deleteTask(local, task.taskId)).toBe(true);
    undoing.push({ task, call: { step: 1, callId } });
  }
  await sweep();
  const [one, two] = undoing;
  if (!one || !two) throw new Error('no tasks');
  expect(await effects.beginUndo(one.task, one.call)).toMatchObject({ output: expect.stringContaining('PAID one') });
  await effects.completeUndo(one.task, one.call, { state: 'undone', summary: 'UNDONE' });
  await sweep();
  expect([await isErased(one.task), await isErased(two.task)]).toEqual([true, false]);
  expect([await countContents('PAID one'), await countContents('PAID two')]).toEqual([0, 1]);
  await harness.pool.query(`update tasks set erased_at = now() - interval '8 days' where id = $1`, [two.task.taskId]);
  await sweep();
  expect([await isErased(two.task), await countContents('PAID two')]).toEqual([true, 0]);
  // The undo ends after all.
  await effects.completeUndo(two.task, two.call, { state: 'undone', summary: 'UNDONE' });
});

test('a deleted conversation is erased when no task of it is being undone', async () => {
  const rows = createConversationRows(harness.db);
  const turns = createConversationTurns(harness.db);
  const { id, agent } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  const ref = { ...local, conversationId: id, agent };
  await rows.storeMessage(person(local.subject, { tenant: local.tenant }), id, { id: 'm', text: 'PAY' });
  await turns.decide(ref, ['m']);
  const turn = await turns.begin(ref, () => ({ budget: {} }));
  if (!turn) throw new Error('no turn');
  await harness.pool.query(
    `insert into tool_calls (task_id, step, call_id, tool, effect, left_at, undo_state)
     values ($1, 1, 'c1', 'pay', 'write', now(), 'begun')`,
    [turn.task.taskId],
  );
  await end(turn.task);
  await rows.markDeleted(local, id);
  expect([await turns.erase(ref), await countContents('PAY')]).toEqual([false, 1]);
  const undone = { state: 'undone', summary: 's' } as const;
  await createEffects(harness.db).completeUndo(turn.task, { step: 1, callId: 'c1' }, undone);
  expect([await turns.erase(ref), await countContents('PAY')]).toEqual([true, 0]);
});

test('a task that cannot be erased keeps no other from it, and is erased later', async () => {
  const tasks = [await harness.newTask(), await harness.newTask(), await harness.newTask()].map(({ task }) => task);
  for (const task of tasks) await end(task);
  const [broken, ...others] = tasks;
  if (!broken) throw new Error('no task');
  await harness.pool.query(`
    create function refuse() returns trigger language plpgsql as 'begin raise exception ''a broken row''; end';
    create trigger refuse before delete on task_events for each row when (old.task_id = '${broken.taskId}')
      execute function refuse()`);
  await harness.pool.query(`update tasks set erased_at = now(), erase_requested_at = now() where id = any($1)`, [
    others.map(({ taskId }) => taskId),
  ]);
  // It is hidden all the same.
  expect(await parts.erasure.deleteTask(local, broken.taskId)).toBe(true);
  await sweep();
  expect(await Promise.all(tasks.map(isErased))).toEqual([false, true, true]);
  expect((await parts.metrics.erasuresFailed.get()).values[0]?.value).toBe(1);
  await harness.pool.query('drop trigger refuse on task_events; drop function refuse()');
  // It has a pause, in which the sweep has time for others.
  await sweep();
  expect(await isErased(broken)).toBe(false);
  const earlier = `erase_requested_at = erase_requested_at - interval '11 minutes'`;
  await harness.pool.query(`update tasks set ${earlier} where id = '${broken.taskId}'`);
  await sweep();
  expect(await isErased(broken)).toBe(true);
});

test('a message that comes while its conversation is deleted is refused, and leaves no content', async () => {
  const rows = createConversationRows(harness.db);
  const { id } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  const deletion = await harness.pool.connect();
  await deletion.query('begin');
  await deletion.query('select from conversations where id = $1 for update', [id]);
  await deletion.query('update conversations set deleted_at = now() where id = $1', [id]);
  const stored = rows
    .storeMessage(person(local.subject, { tenant: local.tenant }), id, { id: 'late', text: 'UNHEARD' })
    .catch((error: unknown) => error);
  await harness.untilStatementsWait(1);
  await deletion.query('commit');
  deletion.release();
  expect(await stored).toMatchObject({ code: 'not_found' });
  expect(await countContents('UNHEARD')).toBe(0);
});
