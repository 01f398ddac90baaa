import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

const scope = { tenant: 'local', subject: 'ann' };

test('what a conversation adds to the instructions is read for tasks of its own tenant alone', async () => {
  const { db, pool } = env.postgres;
  const options = { onBusy: 'enqueue' as const, instructions: 'Be brief.' };
  const { id } = await createConversationRows(db).create(scope, { agent: 'knowledge' }, options);
  const taskId = randomUUID();
  await pool.query(
    `insert into tasks (id, tenant, subject, agent, status, conversation_id, request_hash, input_head)
     values ($1, 'local', 'ann', 'knowledge', 'running', $2, 'r', 'm')`,
    [taskId, id],
  );
  const tasks = createTasks(db);
  const task = { ...scope, taskId, agent: 'knowledge' };
  expect(await tasks.getInstructions(task)).toEqual({ added: 'Be brief.', mayRecall: false });
  expect(await tasks.getInstructions({ ...task, tenant: 'other' })).toEqual({ mayRecall: false });
});
