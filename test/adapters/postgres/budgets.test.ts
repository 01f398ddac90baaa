import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DayLimit, OpenModelCall } from '../../../contract/ports/index.ts';
import { budgetId } from '../../../contract/ids.ts';
import type { BudgetLimits } from '../../../contract/references.ts';
import {
  beginReplacing,
  completedCall,
  createLedgerHarness,
  dayLimit,
  failedCall,
  openCall,
  run,
  usageOf,
  type LedgerTask,
  type LedgerHarness,
} from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;

beforeAll(async () => {
  harness = await createLedgerHarness();
});
afterAll(async () => {
  await harness?.close();
});

/** Begins a call and returns it. */
async function begin({ task }: LedgerTask, changes: Partial<OpenModelCall> = {}) {
  const call = openCall(changes);
  await beginReplacing(harness.ledger, task, call);
  return call;
}
const refusal = (task: LedgerTask, changes: Partial<OpenModelCall> = {}) =>
  begin(task, changes).then(
    () => 'begun',
    (error: { code?: string; details?: unknown }) => ({ code: error.code, details: error.details }),
  );
const chargedTo = ({ task }: LedgerTask) => harness.budgetOf(budgetId.task(task.taskId));

test.each<[BudgetLimits, object]>([
  [{ maxCostUsd: 0.15 }, { limit: 'maxCostUsd', max: 0.15, charged: 0.1, needed: 0.1 }],
  [{ maxTokens: 299 }, { limit: 'maxTokens', max: 299, charged: 150, needed: 150 }],
  [{ maxModelCalls: 1 }, { limit: 'maxModelCalls', max: 1, charged: 1, needed: 1 }],
])('a call that does not fit %j is refused with what it needs, and charges nothing', async (budget, details) => {
  const task = await harness.newTask(budget);
  await begin(task);
  const before = await chargedTo(task);
  expect(await refusal(task, { step: 2 })).toEqual({
    code: 'budget_exceeded',
    details: { reason: 'budget', scope: 'task', ...details },
  });
  expect(await chargedTo(task)).toEqual(before);
  expect(await harness.outcomesOf(task.task)).toEqual(['open']);
});

test('a limit can be spent to the last cent, also with sums that binary floating point rounds', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.3, maxTokens: 200, maxModelCalls: 2 });
  await begin(task, { worstCase: usageOf(50, 50, 0.1) });
  // 0.1 + 0.2 is more than 0.3 in binary, and so is this number.
  await begin(task, { step: 2, worstCase: usageOf(50, 50, 0.30000000000000004 - 0.1) });
  expect(await chargedTo(task)).toEqual({ usd: 0.3, tokens: 200, calls: 2 });
});

test('a call over its limit by a rounding error alone fits; one over it by a hundred-millionth of a cent is refused', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.3 });
  expect(await refusal(task, { worstCase: usageOf(1, 1, 0.3000000001) })).toMatchObject({ code: 'budget_exceeded' });
  await begin(task, { worstCase: usageOf(1, 1, 0.1 + 0.2) });
  expect((await chargedTo(task))?.usd).toBe(0.3);
});

test('a task without limits has no budget row', async () => {
  const task = await harness.newTask({ maxDurationS: 60 });
  await begin(task);
  expect(await chargedTo(task)).toBeUndefined();
});

test('what a failed call did not use is available again', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.15 });
  await harness.ledger.failModelCall(task.task, failedCall(await begin(task)));
  await begin(task, { attempt: 2 });
  expect(await chargedTo(task)).toMatchObject({ usd: 0.11, calls: 2 });
});

test('of twenty concurrent calls by tasks that share day limits no more begin than fit', async () => {
  const dayLimits = [dayLimit('agent', { maxUsd: 1.25 }), dayLimit('tenant', { maxTokens: 100_000 })];
  const tasks = await Promise.all(Array.from({ length: 20 }, () => harness.newTask()));
  const outcomes = await Promise.all(tasks.map((task) => refusal(task, { dayLimits })));
  expect(outcomes.filter((outcome) => outcome === 'begun')).toHaveLength(12);
  expect(await harness.budgetOf(dayLimits[0]?.id ?? '')).toEqual({ usd: 1.2, tokens: 1_800, calls: 12 });
  expect(outcomes.find((outcome) => outcome !== 'begun')).toMatchObject({
    details: { limit: 'maxCostUsd', scope: 'agent', max: 1.25, charged: 1.2, needed: 0.1 },
  });
});

test('a day limit gets its row with the first call, and each day its own row', async () => {
  const task = await harness.newTask();
  const [today, tomorrow] = [dayLimit('tenant', { maxCalls: 1 }), dayLimit('tenant', { maxCalls: 1 })];
  expect(await harness.budgetOf(today.id)).toBeUndefined();
  const late = await begin(task, { dayLimits: [today] });
  expect(await refusal(task, { step: 2, dayLimits: [today] })).toMatchObject({ details: { scope: 'tenant', max: 1 } });
  // Midnight.
  await begin(task, { step: 2, dayLimits: [tomorrow] });
  await harness.ledger.settleModelCall(task.task, completedCall(late, task.head, 'begun yesterday'));
  expect(await harness.budgetOf(today.id)).toEqual({ usd: 0.01, tokens: 15, calls: 1 });
  expect(await harness.budgetOf(tomorrow.id)).toEqual({ usd: 0.1, tokens: 150, calls: 1 });
});

test('a changed day limit applies from the next call on', async () => {
  const task = await harness.newTask();
  const limit = dayLimit('agent', { maxUsd: 0.1 });
  await begin(task, { dayLimits: [limit] });
  expect(await refusal(task, { step: 2, dayLimits: [limit] })).toMatchObject({ code: 'budget_exceeded' });
  const wider: DayLimit = { id: limit.id, maxUsd: 0.2 };
  await begin(task, { step: 2, dayLimits: [wider] });
  expect(await refusal(task, { step: 3, dayLimits: [wider] })).toMatchObject({ details: { charged: 0.2, max: 0.2 } });
});

test('the refusal names day limits before the limit that a grant can raise', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.01 });
  const agent = dayLimit('agent', { maxUsd: 0.01 });
  const tenant = dayLimit('tenant', { maxUsd: 0.01 });
  expect(await refusal(task, { dayLimits: [agent, tenant] })).toMatchObject({ details: { scope: 'tenant' } });
  expect(await refusal(task, { dayLimits: [agent] })).toMatchObject({ details: { scope: 'agent' } });
  expect(await refusal(task)).toMatchObject({ details: { scope: 'task' } });
});

test('a grant makes room, has one event, and is never undone by a smaller one', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.1, maxTokens: 1_000 });
  await begin(task);
  expect(await refusal(task, { step: 2 })).toMatchObject({ details: { max: 0.1 } });
  const wider = { maxCostUsd: 0.2, maxTokens: 1_000 };
  expect(await harness.tasks.grantBudget(task.task, run, { maxCostUsd: 0.2 })).toEqual(wider);
  expect(await harness.tasks.grantBudget(task.task, run, { maxCostUsd: 0.2 })).toEqual(wider);
  expect(await harness.tasks.grantBudget(task.task, run, { maxCostUsd: 0.15, maxTokens: 500 })).toEqual(wider);
  await begin(task, { step: 2 });
  expect(await refusal(task, { step: 3 })).toMatchObject({ details: { max: 0.2 } });
  const granted = (await harness.eventsOf(task.task)).filter(({ type }) => type === 'budget.granted');
  expect(granted).toMatchObject([{ data: { budget: wider } }]);
});

test('a grant for a limit that the task does not have adds no limit', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.5 });
  expect(await harness.tasks.grantBudget(task.task, run, { maxTokens: 1 })).toEqual({ maxCostUsd: 0.5 });
  await begin(task);
});

test('concurrent grants, amid calls, all count', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.1, maxTokens: 150, maxModelCalls: 1 });
  const grants = [{ maxCostUsd: 1 }, { maxTokens: 1_500 }, { maxModelCalls: 10 }, { maxCostUsd: 0.5 }];
  await Promise.all([
    ...grants.map((more) => harness.tasks.grantBudget(task.task, run, more)),
    ...Array.from({ length: 10 }, (_, i) => refusal(task, { attempt: i + 1 })),
  ]);
  const row = await harness.tasks.get(task.task, task.task.taskId);
  expect(row?.budget).toEqual({ maxCostUsd: 1, maxTokens: 1_500, maxModelCalls: 10 });
  expect(await refusal(task, { worstCase: usageOf(1, 1, 2) })).toMatchObject({ details: { max: 1 } });
});

test('a grant and a call of the same task do not deadlock', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.1 });
  const release = await harness.lockRow('select from tasks where id = $1', task.task.taskId);
  const granting = harness.tasks.grantBudget(task.task, run, { maxCostUsd: 1 });
  await harness.untilStatementsWait(1);
  const beginning = begin(task);
  await harness.untilStatementsWait(2);
  await release();
  expect(await granting).toEqual({ maxCostUsd: 1 });
  await beginning;
  expect(await chargedTo(task)).toMatchObject({ usd: 0.1, calls: 1 });
});

test('a grant reaches a task whose workflow was reset; an ended one stays as it is', async () => {
  const task = await harness.newTask({ maxCostUsd: 0.1 });
  await harness.tasks.close(task.task, run, { status: 'failed', code: 'terminated', message: 'by hand' });
  expect(await harness.tasks.grantBudget(task.task, run, { maxCostUsd: 1 })).toEqual({ maxCostUsd: 0.1 });
  expect(await harness.tasks.grantBudget(task.task, { runId: 'run-2' }, { maxCostUsd: 1 })).toEqual({ maxCostUsd: 1 });
  expect((await harness.eventTypes(task.task)).slice(-2)).toEqual(['task.resumed', 'budget.granted']);
});

test('waiting and resuming append one event each, however often they are repeated', async () => {
  const { task } = await harness.newTask({ maxCostUsd: 0.1 });
  const reached = { limit: 'maxCostUsd', scope: 'task', max: 0.1, charged: 0.1, needed: 0.1 } as const;
  await harness.tasks.markWaiting(task, run, { reason: 'budget', ...reached });
  await harness.tasks.markWaiting(task, run, { reason: 'budget', ...reached });
  const waiting = await harness.tasks.get(task, task.taskId);
  expect(waiting).toMatchObject({ status: 'waiting', waiting: { reason: 'budget', ...reached } });
  expect(waiting?.waiting?.message).toContain('$0.1');
  await harness.tasks.markResumed(task, run, 'granted');
  await harness.tasks.markResumed(task, run, 'granted');
  expect(await harness.tasks.get(task, task.taskId)).toMatchObject({ status: 'running', waiting: null });
  expect((await harness.eventTypes(task)).slice(-2)).toEqual(['task.waiting', 'task.resumed']);
});
