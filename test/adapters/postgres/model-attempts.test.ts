import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { budgetId } from '../../../contract/ids.ts';
import { noUsage, type MessageHead, type TaskRef } from '../../../contract/references.ts';
import {
  completedCall,
  createLedgerHarness,
  failedCall,
  openCall,
  run,
  worstCase,
  type LedgerHarness,
} from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
let task: TaskRef;
let head: MessageHead;

beforeAll(async () => {
  harness = await createLedgerHarness();
});
beforeEach(async () => {
  ({ task, head } = await harness.newTask({ maxCostUsd: 10 }));
});
afterAll(async () => {
  await harness?.close();
});

const begin = (attempt: number, changes: Parameters<typeof openCall>[0] = {}) =>
  harness.begin(task, { attempt, ...changes });
const chargedToTask = () => harness.budgetOf(budgetId.task(task.taskId));
const worst = { tokens: 150, cost_usd: 0.1 };

test('an attempt is charged with its worst case before it starts, and counts as usage only when it has ended', async () => {
  const call = await begin(1);
  expect(await harness.rowsOf(task)).toMatchObject([{ outcome: 'open', ...worst }]);
  expect(await chargedToTask()).toEqual({ usd: 0.1, tokens: 150, calls: 1 });
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 0, costUsd: 0 });
  await harness.ledger.settleModelCall(task, completedCall(call, head, 'answer'));
  expect(await chargedToTask()).toEqual({ usd: 0.01, tokens: 15, calls: 1 });
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 1, costUsd: 0.01 });
});

test('an attempt that is still open when the next one begins is lost, at its worst case', async () => {
  await begin(1);
  const second = await begin(2);
  expect(await harness.outcomesOf(task)).toEqual(['lost', 'open']);
  expect(await harness.usageOf(task)).toMatchObject({
    modelCalls: 1,
    inputTokens: 100,
    outputTokens: 50,
    costUsd: 0.1,
  });
  expect(await chargedToTask()).toEqual({ usd: 0.2, tokens: 300, calls: 2 });
  const { turn } = await harness.ledger.settleModelCall(task, completedCall(second, head, 'answer'));
  expect(turn.usage).toMatchObject({ inputTokens: 110, outputTokens: 55, costUsd: 0.11 });
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 2, inputTokens: 110, costUsd: 0.11 });
});

test('a lost attempt that fails later is charged what it used', async () => {
  const lost = await begin(1);
  await begin(2);
  await harness.ledger.failModelCall(task, failedCall(lost));
  expect(await harness.outcomesOf(task)).toEqual(['model_unavailable', 'open']);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 1, inputTokens: 10, outputTokens: 5, costUsd: 0.01 });
  expect(await chargedToTask()).toEqual({ usd: 0.11, tokens: 165, calls: 2 });
});

test('a lost attempt that answers after another one is waste, at what it used', async () => {
  const lost = await begin(1);
  const second = await begin(2);
  const { turn } = await harness.ledger.settleModelCall(task, completedCall(second, head, 'answer'));
  const late = await harness.ledger.settleModelCall(task, completedCall(lost, head, 'late'));
  expect(late.turn.head).toBe(turn.head);
  expect(await harness.outcomesOf(task)).toEqual(['wasted', 'completed']);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 2, inputTokens: 20, costUsd: 0.02 });
  expect(await chargedToTask()).toEqual({ usd: 0.02, tokens: 30, calls: 2 });
});

test('a lost attempt that answers first wins, and the one under way is waste', async () => {
  const lost = await begin(1);
  const second = await begin(2);
  const { turn } = await harness.ledger.settleModelCall(task, completedCall(lost, head, 'late but first'));
  expect(await harness.ledger.beginModelCall(task, openCall({ attempt: 3 }))).toMatchObject({
    turn: { head: turn.head },
  });
  await harness.ledger.settleModelCall(task, completedCall(second, head, 'too late'));
  expect(await harness.outcomesOf(task)).toEqual(['completed', 'wasted']);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 2, inputTokens: 20, costUsd: 0.02 });
});

test('a request that the provider refused costs nothing and is not counted as a call', async () => {
  await harness.ledger.failModelCall(task, failedCall(await begin(1), { usage: noUsage, code: 'model_rate_limited' }));
  expect(await harness.outcomesOf(task)).toEqual(['model_rate_limited']);
  expect(await chargedToTask()).toEqual({ usd: 0, tokens: 0, calls: 0 });
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 0, costUsd: 0 });
});

test('failures are counted by code, and a step costs what all its attempts cost', async () => {
  const fail = async (attempt: number, code: 'database_unavailable' | 'model_unavailable') =>
    harness.ledger.failModelCall(task, failedCall(await begin(attempt), { code }));
  expect(await fail(1, 'database_unavailable')).toBe(1);
  expect(await fail(2, 'database_unavailable')).toBe(2);
  expect(await fail(3, 'model_unavailable')).toBe(1);
  const last = await begin(4);
  const { turn } = await harness.ledger.settleModelCall(task, completedCall(last, head, 'at last'));
  expect(turn.usage).toMatchObject({ inputTokens: 40, outputTokens: 20 });
  expect(turn.usage.costUsd).toBeCloseTo(0.04);
  // The answer was stored and only its confirmation was lost: no second charge, and no event of a failure.
  const before = await harness.eventTypes(task);
  await harness.ledger.failModelCall(task, failedCall(last, { code: 'database_unavailable' }));
  expect(await harness.eventTypes(task)).toEqual(before);
  expect(await harness.outcomesOf(task)).toEqual([
    'database_unavailable',
    'database_unavailable',
    'model_unavailable',
    'completed',
  ]);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 4 });
});

test('failures of a summary and of a turn are counted separately', async () => {
  const summary = { purpose: 'summary' } as const;
  expect(await harness.ledger.failModelCall(task, failedCall(await begin(1, summary)))).toBe(1);
  expect(await harness.ledger.failModelCall(task, failedCall(await begin(1)))).toBe(1);
  expect(await harness.ledger.failModelCall(task, failedCall(await begin(2, summary)))).toBe(2);
});

test('a failure reports whether it is retried: not when its attempts are used up, always in an outage', async () => {
  const willRetry = async (attempt: number, changes: Parameters<typeof failedCall>[1]) => {
    await harness.ledger.failModelCall(task, failedCall(await begin(attempt), changes));
    const last = (await harness.eventsOf(task)).at(-1);
    return last?.type === 'model.failed' ? last.data.willRetry : last?.type;
  };
  for (let attempt = 1; attempt < 8; attempt++) expect(await willRetry(attempt, {})).toBe(true);
  expect(await willRetry(8, {})).toBe(false);
  expect(await willRetry(9, { code: 'model_outage' })).toBe(true);
  expect(await willRetry(10, { code: 'model_outage', mayRetry: false })).toBe(false);
  expect(await willRetry(11, { code: 'model_rejected' })).toBe(false);
});

test('an attempt that fails at the moment the next one begins is counted once', async () => {
  const call = await begin(1);
  const release = await harness.lockRow('select from budgets where id = $1', budgetId.task(task.taskId));
  const failing = harness.ledger.failModelCall(task, failedCall(call));
  await harness.untilStatementsWait(1);
  const beginning = begin(2);
  await harness.untilStatementsWait(2);
  await release();
  await Promise.all([failing, beginning]);
  expect(await harness.outcomesOf(task)).toEqual(['model_unavailable', 'open']);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 1, inputTokens: 10, outputTokens: 5, costUsd: 0.01 });
  expect(await chargedToTask()).toEqual({ usd: 0.11, tokens: 165, calls: 2 });
});

test('an attempt that answers at the moment the next one begins gives the response of both', async () => {
  const call = await begin(1);
  const release = await harness.lockRow('select from budgets where id = $1', budgetId.task(task.taskId));
  const settling = harness.ledger.settleModelCall(task, completedCall(call, head, 'answer'));
  await harness.untilStatementsWait(1);
  const beginning = harness.ledger.beginModelCall(task, openCall({ attempt: 2, replaces: [call.callId] }));
  await harness.untilStatementsWait(2);
  await release();
  expect(await beginning).toEqual(await settling);
  expect(await harness.outcomesOf(task)).toEqual(['completed']);
  expect(await chargedToTask()).toEqual({ usd: 0.01, tokens: 15, calls: 1 });
});

test('an attempt that does not know of the call under way takes nothing over', async () => {
  const call = await begin(2);
  expect(await harness.ledger.beginModelCall(task, openCall({ attempt: 1 }))).toBe('running');
  expect(await harness.rowsOf(task)).toMatchObject([{ call_id: call.callId, outcome: 'open' }]);
  expect(await harness.events.appendText(task, call, 'goes on')).toBe(true);
  expect(await chargedToTask()).toEqual({ usd: 0.1, tokens: 150, calls: 1 });
});

test.each(['turn', 'summary'] as const)('of attempts that begin at the same moment one begins: %s', async (purpose) => {
  const release = await harness.lockRow('select from budgets where id = $1', budgetId.task(task.taskId));
  const beginning = [1, 2].map((attempt) => harness.ledger.beginModelCall(task, openCall({ attempt, purpose })));
  await harness.untilStatementsWait(2);
  await release();
  expect((await Promise.all(beginning)).toSorted()).toEqual(['running', undefined]);
  expect(await harness.outcomesOf(task)).toEqual(['open']);
  expect(await chargedToTask()).toEqual({ usd: 0.1, tokens: 150, calls: 1 });
});

test('the answer of a call is of use until another attempt has answered, or the task is to be cancelled', async () => {
  const [lost, current, summary] = [await begin(1), await begin(2), await begin(1, { purpose: 'summary' })];
  const statesOf = () =>
    Promise.all([lost, current, summary].map(({ callId }) => harness.ledger.stateOfCall(task, callId)));
  expect(await statesOf()).toEqual(['superseded', 'open', 'open']);
  await harness.ledger.settleModelCall(task, completedCall(lost, head, 'late'));
  expect(await statesOf()).toEqual(['superseded', 'superseded', 'open']);
  await harness.tasks.recordCancelRequest(task, task.taskId, { reason: 'enough' });
  expect(await statesOf()).toEqual(['ended', 'ended', 'ended']);
});

test('a call of a workflow that was terminated and reset is of no use to the new run', async () => {
  const call = await begin(1);
  await harness.tasks.close(task, undefined, { status: 'failed', code: 'terminated', message: 'by hand' });
  await harness.tasks.adopt(task, { runId: 'new-run' });
  expect(await harness.ledger.stateOfCall(task, call.callId)).toBe('ended');
  await harness.ledger.writeOffOpenCalls(task);
  const next = await begin(1);
  expect(await harness.ledger.stateOfCall(task, next.callId)).toBe('open');
});

test('a call that has crashed twenty workers is not begun again', async () => {
  for (let attempt = 1; attempt <= 20; attempt++) await begin(attempt);
  await expect(harness.ledger.beginModelCall(task, openCall({ attempt: 21 }))).rejects.toMatchObject({
    code: 'model_unavailable',
    failures: Infinity,
  });
  expect(await harness.outcomesOf(task)).toHaveLength(20);
  // Another step has its own attempts.
  await begin(21, { step: 2 });
});

test('many attempts that reported their failure do not keep the next from beginning', async () => {
  for (let attempt = 1; attempt <= 20; attempt++)
    await harness.ledger.failModelCall(task, failedCall(await begin(attempt), { code: 'model_rate_limited' }));
  await begin(21);
  expect((await harness.outcomesOf(task)).at(-1)).toBe('open');
});

test('attempts still open long after their task ended become lost, and a late response still counts', async () => {
  const endedBefore = async (minutes: number) => {
    const other = await harness.newTask();
    const call = openCall();
    await harness.ledger.beginModelCall(other.task, call);
    await harness.tasks.close(other.task, run, { status: 'cancelled', reason: 'test' });
    await harness.pool.query('update tasks set ended_at = now() - make_interval(mins => $2) where id = $1', [
      other.task.taskId,
      minutes,
    ]);
    return { ...other, call };
  };
  await begin(1);
  const [recent, old] = [await endedBefore(10), await endedBefore(30)];
  expect(await harness.ledger.writeOffLost()).toBe(1);
  expect(await harness.outcomesOf(task)).toEqual(['open']);
  expect(await harness.outcomesOf(recent.task)).toEqual(['open']);
  expect(await harness.outcomesOf(old.task)).toEqual(['lost']);
  const { inputTokens, outputTokens, costUsd } = worstCase;
  expect(await harness.usageOf(old.task)).toMatchObject({ modelCalls: 1, inputTokens, outputTokens, costUsd });
  expect(await harness.ledger.writeOffLost()).toBe(0);
  await harness.ledger.settleModelCall(old.task, completedCall(old.call, old.head, 'very late'));
  expect(await harness.outcomesOf(old.task)).toEqual(['completed']);
  expect(await harness.usageOf(old.task)).toMatchObject({ modelCalls: 1, inputTokens: 10, costUsd: 0.01 });
});
