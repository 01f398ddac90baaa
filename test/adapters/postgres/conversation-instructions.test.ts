import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
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
  const store = createMessageStore(db);
  const task = { ...scope, taskId, agent: 'knowledge' };
  const head = await store.append(scope, null, { role: 'user', text: 'How long?' });
  expect((await store.openStep(task, head)).instructions).toEqual({ added: 'Be brief.', mayRecall: false });

  const other = { ...task, tenant: 'other' };
  const headOfOther = await store.append(other, null, { role: 'user', text: 'How long?' });
  const opened = await store.openStep(other, headOfOther);
  expect(opened.instructions).toEqual({ mayRecall: false });
  expect(opened.conversation.messages).toHaveLength(1);
});
