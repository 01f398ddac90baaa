import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../../adapters/postgres/conversations/conversation-rows.ts';
import { createSlackThreads } from '../../../../adapters/postgres/slack/slack-threads.ts';
import type { SlackThreads } from '../../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../support/environment/environment.ts';

let env: TestEnvironment;
let threads: SlackThreads;
beforeAll(async () => {
  env = await createTestEnvironment();
  threads = createSlackThreads(env.postgres.db);
});
afterAll(() => env?.close());

const scope = { tenant: 'local', subject: 'slack:T1:C1' };
async function thread(threadTs: string) {
  const rows = createConversationRows(env.postgres.db);
  const { id } = await rows.create(scope, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  const place = { team: 'T1', channel: 'C1', threadTs, begunTs: threadTs };
  return { ...place, ...scope, conversationId: id, agent: 'knowledge', askers: ['U1'] };
}

test('of two processes that see the first message of a thread, both get the conversation of one', async () => {
  const [one, two] = [await thread('1.0'), await thread('1.0')];
  const [a, b] = await Promise.all([threads.insert(one), threads.insert(two)]);
  expect(a).toEqual(b);
  expect([one.conversationId, two.conversationId]).toContain(a.conversationId);
  expect(await threads.find(one)).toEqual(a);
  expect(await threads.find({ ...one, channel: 'C2' })).toBeUndefined();
});

test('a thread whose conversation was deleted is unknown, and becomes another conversation', async () => {
  const [one, two] = [await thread('2.0'), await thread('2.0')];
  await threads.insert(one);
  await createConversationRows(env.postgres.db).markDeleted(scope, one.conversationId);
  expect(await threads.find(one)).toBeUndefined();
  expect(await threads.insert(two)).toEqual(two);
});

test('a thread knows who has asked in it, each once', async () => {
  const one = await thread('5.0');
  await threads.insert(one);
  for (const user of ['U2', 'U1', 'U2']) await threads.addAsker(one, user);
  expect((await threads.find(one))?.askers).toEqual(['U1', 'U2']);
});

test('a thread has the agent that its conversation was handed over to', async () => {
  const one = await thread('6.0');
  await threads.insert(one);
  await createConversationRows(env.postgres.db).change(scope, one.conversationId, { agent: 'assistant' });
  expect(await threads.find(one)).toEqual({ ...one, agent: 'assistant' });
});

test('a thread is removed when its conversation was deleted', async () => {
  const [gone, kept] = [await thread('3.0'), await thread('4.0')];
  await threads.insert(gone);
  await threads.insert(kept);
  await createConversationRows(env.postgres.db).markDeleted(scope, gone.conversationId);
  expect(await threads.removeOld()).toBe(1);
  expect(await threads.find(kept)).toEqual(kept);
});
