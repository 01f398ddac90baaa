import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../../adapters/postgres/conversations/conversation-rows.ts';
import { createSlackFiles } from '../../../../adapters/postgres/slack/slack-files.ts';
import { createSlackThreads } from '../../../../adapters/postgres/slack/slack-threads.ts';
import type { SlackFile, SlackFiles } from '../../../../contract/ports/index.ts';
import { createDocuments } from '../../../../knowledge/store/documents.ts';
import { putDocument } from '../../../support/documents/put-document.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../support/environment/environment.ts';

let env: TestEnvironment;
let files: SlackFiles;
beforeAll(async () => {
  env = await createTestEnvironment();
  files = createSlackFiles(env.postgres.db);
});
afterAll(() => env?.close());

const scope = { tenant: 'local', subject: 'slack:T1:C1' };
async function thread(threadTs: string) {
  const rows = createConversationRows(env.postgres.db);
  const { id: conversationId } = await rows.create(scope, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  const place = { team: 'T1', channel: 'C1', threadTs };
  const row = { ...place, ...scope, conversationId, agent: 'knowledge', askers: [], begunTs: null };
  await createSlackThreads(env.postgres.db).insert(row);
  return { conversationId, message: (ts: string) => ({ ...place, ts }) };
}
const file = (name: string): SlackFile => ({
  name,
  documentName: `slack/1/${name}`,
  documentId: randomUUID(),
  problem: null,
});
const unread = (name: string): SlackFile => ({ ...file(name), documentId: null, problem: 'It is damaged.' });
/** Stores the document of a file. */
const put = async ({ documentName }: SlackFile, owner = scope) => {
  const placement = { collection: 'slack', readers: [] };
  const { documentId } = await putDocument(env.postgres.db, documentName!, 'An apple.', { scope: owner, placement });
  return documentId;
};

test('the first outcome of a message counts, also of two processes at once', async () => {
  const { message } = await thread('1.0');
  expect(await files.find(message('1.0'))).toBeUndefined();
  const [one, two] = [
    [file('a.txt'), unread('b.pdf')],
    [file('a.txt'), file('b.pdf')],
  ];
  const [first, second] = await Promise.all([
    files.store(message('1.0'), scope, one),
    files.store(message('1.0'), scope, two),
  ]);
  expect(first).toEqual(second);
  expect([one, two]).toContainEqual(first);
  expect(await files.find(message('1.0'))).toEqual(first);
  expect(await files.find({ ...message('1.0'), channel: 'C2' })).toBeUndefined();
});

test('a question takes the files of messages before it once, and a repeat takes the same', async () => {
  const { message } = await thread('2.0');
  const other = await thread('3.0');
  const [a, b, c] = [file('a.txt'), unread('b.txt'), file('c.txt')];
  await files.store(message('2.0'), scope, [a, b]);
  await files.store(message('2.1'), scope, [c]);
  await files.store(other.message('3.0'), scope, [file('other.txt')]);
  expect(await files.take(message('2.1'))).toEqual([a, b, c]);
  expect(await files.take(message('2.1'))).toEqual([a, b, c]);
  expect(await files.take(message('2.2'))).toEqual([]);
});

test('what is known of a file goes when its thread and its document are gone', async () => {
  const { message, conversationId } = await thread('4.0');
  const documentId = await put(file('four.txt'));
  await files.store(message('4.0'), scope, [{ ...file('four.txt'), documentId }]);
  await files.store(message('4.1'), scope, [unread('b.txt')]);
  await createConversationRows(env.postgres.db).markDeleted(scope, conversationId);
  await createSlackThreads(env.postgres.db).removeOld();
  expect(await files.removeOld()).toBe(1);
  expect(await files.find(message('4.1'))).toBeUndefined();
  expect(await files.find(message('4.0'))).toHaveLength(1);
  await createDocuments(env.postgres.db).delete(scope, documentId);
  expect(await files.removeOld()).toBe(1);
});

test('a message that is deleted takes the documents with it that no other message of their owner has', async () => {
  const { message } = await thread('5.0');
  const [own, shared, late] = [file('own.txt'), file('shared.txt'), { ...file('late.txt'), documentId: null }];
  const [ownId, sharedId, lateId] = [await put(own), await put(shared), await put(late)];
  await put(own, { tenant: 'local', subject: 'slack:T1:C2' });
  await files.store(message('5.0'), scope, [own, shared, late, unread('c.txt')]);
  await files.store(message('5.1'), scope, [shared]);
  const listed = await files.listOwn(message('5.0'));
  expect(listed.map(({ documentId }) => documentId).toSorted()).toEqual([ownId, lateId].toSorted());
  expect(listed[0]).toMatchObject(scope);
  await files.remove(message('5.0'));
  expect(await files.find(message('5.0'))).toBeUndefined();
  expect(await files.listOwn(message('5.1'))).toEqual([{ ...scope, documentId: sharedId }]);
});
