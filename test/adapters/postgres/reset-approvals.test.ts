import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createApprovals } from '../../../adapters/postgres/approvals/approvals.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { createLedgerHarness, run, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
beforeAll(async () => {
  harness = await createLedgerHarness();
});
afterAll(() => harness?.close());

const next = { runId: 'run-2' };
const rule = { tool: 'look', approvers: {}, fourEyes: false, expiresS: 60, onExpiry: 'deny' } as const;
const approvals = () => createApprovals(harness.db);

async function ask(task: TaskRef, step: number, callId: string, { expiresS = 60, by = run } = {}) {
  const call = { step, callId, tool: 'look', arguments: {}, rule: { ...rule, expiresS } };
  const [state] = await approvals().request(task, by, [call]);
  if (!state || !('pending' in state)) throw new Error('no approval is asked for');
  return state.pending;
}
const statesOf = async ({ taskId }: TaskRef) =>
  (
    await harness.pool.query<{ call_id: string; status: string }>(
      'select call_id, status from approvals where task_id = $1 order by call_id',
      [taskId],
    )
  ).rows.map((row) => `${row.call_id} ${row.status}`);

/** Ends the task, and resets its workflow, as the sweep finds it. */
async function endAndReset(task: TaskRef) {
  await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  await harness.tasks.reconcile(task.taskId, { runId: next.runId, status: 'running' });
}

test('what a task waited for is asked again when its workflow was reset, and can be decided', async () => {
  const { task } = await harness.newTask();
  const asked = await ask(task, 1, 'c1');
  await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  expect(await statesOf(task)).toEqual(['c1 withdrawn']);
  await harness.tasks.reconcile(task.taskId, { runId: next.runId, status: 'running' });
  expect(await statesOf(task)).toEqual(['c1 pending']);
  const verdict = await approvals().decide(task, next, asked, { approve: true, by: 'ann', note: {} });
  expect(verdict).toMatchObject({ id: asked.id, status: 'approved', runs: true });
});

test('a run that asks again after a reset gets the same approval, or a new one when that has expired', async () => {
  const { task } = await harness.newTask();
  const asked = await ask(task, 1, 'c1');
  await endAndReset(task);
  expect((await ask(task, 1, 'c1', { by: next })).id).toBe(asked.id);

  const { task: late } = await harness.newTask();
  const expired = await ask(late, 1, 'c1', { expiresS: 0 });
  await endAndReset(late);
  expect(await statesOf(late)).toEqual(['c1 withdrawn']);
  const renewed = await ask(late, 1, 'c1', { by: next });
  expect([renewed.id === expired.id, renewed.expiresS]).toEqual([false, 60]);
});

test('an approval that expired before the reset is decided by its rule when the run waits for it', async () => {
  const { task } = await harness.newTask();
  const asked = await ask(task, 1, 'c1', { expiresS: 0 });
  await endAndReset(task);
  expect(await approvals().expire(task, next, asked)).toMatchObject({ status: 'expired', runs: false });
  // Of a task that has ended nothing is decided.
  const { task: ended } = await harness.newTask();
  const last = await ask(ended, 1, 'c1');
  await harness.tasks.close(ended, run, { status: 'cancelled', reason: 'test' });
  await expect(approvals().expire(ended, run, last)).rejects.toMatchObject({ code: 'task_ended' });
  expect(await statesOf(ended)).toEqual(['c1 withdrawn']);
});

test('what a run before the reset asked, and this one does not, is withdrawn when it asks for something else', async () => {
  const { task } = await harness.newTask();
  await ask(task, 1, 'c1');
  await endAndReset(task);
  await ask(task, 1, 'c2', { by: next });
  expect(await statesOf(task)).toEqual(['c1 withdrawn', 'c2 pending']);
});
