import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eraseTask } from '../../../adapters/postgres/erasure/erase-task.ts';
import { createLedgerHarness, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
beforeAll(async () => {
  harness = await createLedgerHarness();
});
afterAll(() => harness?.close());

test('what a task has delegated is hidden with it, also when the process that deleted it ended in between', async () => {
  const [{ task: parent }, { task: child }] = [await harness.newTask(), await harness.newTask()];
  await harness.pool.query('update tasks set parent_id = $1, ancestors = array[$1]::uuid[] where id = $2', [
    parent.taskId,
    child.taskId,
  ]);
  await harness.tasks.close(parent, undefined, { status: 'cancelled', reason: 'test' });
  await harness.pool.query('update tasks set erased_at = now(), erase_requested_at = now() where id = $1', [
    parent.taskId,
  ]);
  expect(await harness.tasks.get(child, child.taskId)).toBeDefined();
  await eraseTask(harness.db, parent);
  expect(await harness.tasks.get(child, child.taskId)).toBeUndefined();
});
