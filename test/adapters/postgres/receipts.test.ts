import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createEffects } from '../../../adapters/postgres/ledger/effects.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { createLedgerHarness, local, run, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
let task: TaskRef;

beforeAll(async () => {
  harness = await createLedgerHarness();
});
beforeEach(async () => {
  ({ task } = await harness.newTask());
});
afterAll(async () => {
  await harness?.close();
});

const begun = { result: undefined, sent: false };
const newCall = (step = 1, callId = 'c1') => ({ ...run, callId, tool: 'look', step, arguments: { at: 1 } });
const outcomeOf = (output: string | number, step = 1, callId = 'c1') => ({
  callId,
  tool: 'look',
  step,
  output,
  isError: false,
  summary: 's',
  durationMs: 1,
  maxCharacters: 1_000,
});

test('a tool call returns its receipt on every repeat', async () => {
  expect(await harness.ledger.beginToolCall(task, newCall())).toEqual(begun);
  // The first attempt died before it settled: the second runs the tool.
  expect(await harness.ledger.beginToolCall(task, newCall())).toEqual(begun);
  const receipts = await Promise.all(
    [1, 2, 3].map((output) => harness.ledger.completeToolCall(task, outcomeOf(output))),
  );
  expect(new Set(receipts.map(({ result }) => result)).size).toBe(1);
  expect(await harness.ledger.beginToolCall(task, newCall())).toEqual({ result: receipts[0] });
  const toolEvents = (await harness.eventTypes(task)).filter((type) => type.startsWith('tool.'));
  expect(toolEvents).toEqual(['tool.started', 'tool.completed']);
});

test('an attempt that acts after one that was refused has its effect, with what it sends', async () => {
  await harness.ledger.beginToolCall(task, newCall());
  await harness.ledger.beginToolCall(task, { ...newCall(), effect: 'write', arguments: { at: 2 } });
  // A later one changes nothing of it.
  await harness.ledger.beginToolCall(task, { ...newCall(), effect: 'write', arguments: { at: 3 } });
  const { rows } = await harness.pool.query('select effect, input from tool_calls where task_id = $1', [task.taskId]);
  expect(rows).toEqual([{ effect: 'write', input: { at: 2 } }]);
});

test('the same call id in another step is another call', async () => {
  await harness.ledger.beginToolCall(task, newCall(1));
  const first = await harness.ledger.completeToolCall(task, outcomeOf('first', 1));
  expect(await harness.ledger.beginToolCall(task, newCall(2))).toEqual(begun);
  const second = await harness.ledger.completeToolCall(task, outcomeOf('second', 2));
  expect(second.result).not.toBe(first.result);
  expect(await harness.ledger.beginToolCall(task, newCall(1))).toEqual({ result: first });
  expect(await harness.ledger.beginToolCall(task, newCall(2))).toEqual({ result: second });
  expect(await harness.messageStore.findToolResult(local, task.taskId, 'c1')).toBe('"second"');
});

test('a receipt names the misuse of the tool', async () => {
  await harness.ledger.beginToolCall(task, newCall());
  const wrong = { ...outcomeOf('no such tool'), isError: true, misuse: 'unknown_tool' } as const;
  await harness.ledger.completeToolCall(task, wrong);
  expect(await harness.ledger.beginToolCall(task, newCall())).toMatchObject({
    result: { isError: true, misuse: 'unknown_tool' },
  });
});

test('a large result is stored whole, and the model gets its beginning and how to read on', async () => {
  const whole = 'line\n'.repeat(100_000);
  await harness.ledger.beginToolCall(task, newCall());
  const receipt = await harness.ledger.completeToolCall(task, outcomeOf(whole));
  const head = await harness.messageStore.append(local, null, {
    role: 'tool',
    results: [{ isError: false, ...receipt }],
  });
  const [message] = (await harness.messageStore.load(local, head)).messages;
  const output = message?.role === 'tool' ? message.results[0]?.output : undefined;
  expect(JSON.stringify(output).length).toBeLessThanOrEqual(1_000);
  expect(output).toMatchObject({ characters: whole.length, readMore: expect.stringContaining('"c1"') });
  expect(whole.startsWith((output as { head: string }).head)).toBe(true);
  expect(await harness.messageStore.findToolResult(local, task.taskId, 'c1')).toBe(JSON.stringify(whole));
});

test('a tool call that ends after its task appends no event, and no new one begins', async () => {
  await harness.ledger.beginToolCall(task, newCall());
  await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  const receipt = await harness.ledger.completeToolCall(task, outcomeOf('late'));
  expect(receipt).toMatchObject({ callId: 'c1', tool: 'look' });
  expect((await harness.eventTypes(task)).at(-1)).toBe('task.cancelled');
  await expect(harness.ledger.beginToolCall(task, newCall(1, 'c2'))).rejects.toMatchObject({ code: 'superseded' });
});

test('a tool call of a reset run takes the row over', async () => {
  await harness.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'by hand' });
  expect(await harness.ledger.beginToolCall(task, { ...newCall(), runId: 'run-2' })).toEqual(begun);
  expect((await harness.eventTypes(task)).slice(-2)).toEqual(['task.resumed', 'tool.started']);
});

test('an undo that is requested while its task is deleted finds the task deleted', async () => {
  await harness.ledger.beginToolCall(task, newCall());
  await harness.pool.query(`update tool_calls set effect = 'write', left_at = now() where task_id = $1`, [task.taskId]);
  await harness.tasks.close(task, undefined, { status: 'cancelled', reason: 'test' });
  let requested: Promise<object> | undefined;
  await harness.db.transaction().execute(async (trx) => {
    await trx.updateTable('tasks').set({ erased_at: new Date() }).where('id', '=', task.taskId).execute();
    requested = createEffects(harness.db).requestUndo(local, task.taskId);
    await harness.untilStatementsWait(1);
  });
  expect(await requested).toEqual({ undone: [], ending: [] });
});

test('a result that comes while the undo of its call ends does not lock against it', async () => {
  const effects = createEffects(harness.db);
  await harness.ledger.beginToolCall(task, newCall());
  await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  const release = await harness.lockRow('select from tool_calls where task_id = $1', task.taskId);
  const completing = harness.ledger.completeToolCall(task, outcomeOf('late'));
  await harness.untilStatementsWait(1);
  const undoing = effects.completeUndo(task, { step: 1, callId: 'c1' }, { state: 'undone', summary: 's' });
  await harness.untilStatementsWait(2);
  await release();
  await Promise.all([completing, undoing]);
});
