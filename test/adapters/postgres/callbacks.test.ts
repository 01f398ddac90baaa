import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createCallbacks } from '../../../adapters/postgres/tasks/callbacks.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type { CallbackAttempt, CallbackOutcome, Callbacks, Tasks } from '../../../contract/ports/index.ts';
import type { CallbackRef } from '../../../contract/references.ts';
import { local } from '../../support/documents/put-document.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
let tasks: Tasks;
let callbacks: Callbacks;
beforeAll(async () => {
  env = await createTestEnvironment();
  tasks = createTasks(env.postgres.db);
  callbacks = createCallbacks(env.postgres.db);
});
afterAll(() => env?.close());

const failed: CallbackOutcome = { state: 'delivering', status: 503, error: 'x answered 503.' };

/** Creates a task with a callback and ends it. */
async function endedTask(code: 'internal' | 'never_started' = 'internal'): Promise<CallbackRef & { taskId: string }> {
  const callback = { url: 'https://example.com/hook', secret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0' };
  const { id: taskId } = await tasks.create(local, { agent: 'knowledge', input: { text: 'q' }, callback }, {});
  await tasks.close({ ...local, taskId, agent: 'knowledge' }, undefined, { status: 'failed', code, message: '…' });
  return { ...local, taskId };
}
async function begin(ref: CallbackRef): Promise<CallbackAttempt> {
  const attempt = await callbacks.beginAttempt(ref);
  if (!attempt) throw new Error('nothing is due');
  return attempt;
}
const fail = async (ref: CallbackRef) => callbacks.settleAttempt(ref, await begin(ref), failed);
/** Lets hours pass for a callback. */
const pass = ({ taskId }: { taskId: string }, hours: number) =>
  env.postgres.pool.query(
    `update callbacks set last_attempt_at = last_attempt_at - make_interval(hours => $2),
       failing_since = failing_since - make_interval(hours => $2) where task_id = $1`,
    [taskId, hours],
  );
const overdue = async () => (await callbacks.listOverdue(10)).map((ref) => 'taskId' in ref && ref.taskId);

test('a delivery that was put off is not overdue; its first attempt belongs to the same delivery', async () => {
  const ref = await endedTask();
  expect(await overdue()).toContain(ref.taskId);
  expect(await callbacks.putOff(ref)).toBe(true);
  expect(await callbacks.putOff(ref)).toBe(true);
  expect(await overdue()).not.toContain(ref.taskId);
  expect(await begin(ref)).toMatchObject({ delivery: 1, attempt: 1 });
  await callbacks.giveUp(ref);
  expect(await callbacks.get(ref)).toMatchObject({ state: 'failed', deliveries: 1 });
  expect(await callbacks.putOff(ref)).toBe(false);
});

test('a receiver that fails for a day is given up', async () => {
  const ref = await endedTask();
  for (let hour = 0; hour < 24; hour++) {
    expect(await fail(ref)).toBe('delivering');
    await pass(ref, 1);
  }
  expect(await fail(ref)).toBe('failed');
  // Another delivery has its own day.
  await callbacks.redeliver(ref);
  expect(await fail(ref)).toBe('delivering');
});

test('hours in which our own database was away do not count', async () => {
  const ref = await endedTask();
  expect(await fail(ref)).toBe('delivering');
  await pass(ref, 30);
  expect(await fail(ref)).toBe('delivering');
  for (let hour = 0; hour < 22; hour++) {
    await pass(ref, 1);
    expect(await fail(ref)).toBe('delivering');
  }
  await pass(ref, 2);
  expect(await fail(ref)).toBe('failed');
});

test('a task that could not be started is not called back: its caller got an error', async () => {
  const ref = await endedTask('never_started');
  expect(await overdue()).not.toContain(ref.taskId);
  expect(await callbacks.beginAttempt(ref)).toBeUndefined();
});

test('a task that a version before reopens is not incomplete any more', async () => {
  const { taskId } = await endedTask();
  const { pool } = env.postgres;
  await pool.query(`update tasks set status = 'completed', incomplete = 'budget' where id = $1`, [taskId]);
  expect((await tasks.get(local, taskId))?.status).toBe('incomplete');
  await pool.query(`update tasks set status = 'running', ended_at = null where id = $1`, [taskId]);
  await pool.query(`update tasks set status = 'completed', ended_at = now() where id = $1`, [taskId]);
  expect((await tasks.get(local, taskId))?.status).toBe('completed');
});
