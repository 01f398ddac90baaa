import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../../adapters/postgres/conversations/conversation-rows.ts';
import { createSlackFiles } from '../../../../adapters/postgres/slack/slack-files.ts';
import { createSlackThreads } from '../../../../adapters/postgres/slack/slack-threads.ts';
import type { BegunSlackFile, SlackFile, SlackFiles, SlackMessageRef } from '../../../../contract/ports/index.ts';
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
const begun = ({ name, documentName, problem }: SlackFile): BegunSlackFile => ({
  fileId: `F-${name}`,
  name,
  documentName,
  problem,
});
/** Stores files of which it is known what became of them. */
async function store(message: SlackMessageRef, owner: typeof scope, given: SlackFile[]) {
  await files.begin(message, owner, given.map(begun));
  return files.store(message, given);
}
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
  const [first, second] = await Promise.all([store(message('1.0'), scope, one), store(message('1.0'), scope, two)]);
  expect(first).toEqual(second);
  expect([one, two]).toContainEqual(first);
  expect(await files.find(message('1.0'))).toEqual(first);
  expect(await files.find({ ...message('1.0'), channel: 'C2' })).toBeUndefined();
});

test('a question takes the files of messages before it once, and a repeat takes the same', async () => {
  const { message } = await thread('2.0');
  const other = await thread('3.0');
  const [a, b, c] = [file('a.txt'), unread('b.txt'), file('c.txt')];
  await store(message('2.0'), scope, [a, b]);
  await store(message('2.1'), scope, [c]);
  await store(other.message('3.0'), scope, [file('other.txt')]);
  expect(await files.take(message('2.1'))).toEqual([a, b, c]);
  expect(await files.take(message('2.1'))).toEqual([a, b, c]);
  expect(await files.take(message('2.2'))).toEqual([]);
});

test('what is known of a file goes when its thread and its document are gone', async () => {
  const { message, conversationId } = await thread('4.0');
  const documentId = await put(file('four.txt'));
  await store(message('4.0'), scope, [{ ...file('four.txt'), documentId }]);
  await store(message('4.1'), scope, [unread('b.txt')]);
  await createConversationRows(env.postgres.db).markDeleted(scope, conversationId);
  await createSlackThreads(env.postgres.db).removeOld();
  expect(await files.removeOld()).toBe(1);
  expect(await files.find(message('4.1'))).toBeUndefined();
  expect(await files.find(message('4.0'))).toHaveLength(1);
  await createDocuments(env.postgres.db).delete(scope, documentId);
  expect(await files.removeOld()).toBe(1);
});

test('what was deleted in Slack takes the documents with it that no other message of their owner has', async () => {
  const { message } = await thread('5.0');
  const [own, shared, late] = [file('own.txt'), file('shared.txt'), { ...file('late.txt'), documentId: null }];
  const [ownId, sharedId] = [await put(own), await put(shared)];
  await put(own, { tenant: 'local', subject: 'slack:T1:C2' });
  await store(message('5.0'), scope, [own, shared, late, unread('c.txt')]);
  await store(message('5.1'), scope, [shared]);
  const deleted = [{ channel: 'C1', ts: '5.0' }];
  expect(await files.listRemoved(deleted)).toEqual([]);
  await files.markRemoved(deleted);
  expect(await files.listRemoved(deleted)).toEqual([{ ...scope, documentId: ownId }]);
  // Its reading ends after that.
  const lateId = await put(late);
  expect((await files.listRemoved()).map(({ documentId }) => documentId).toSorted()).toEqual(
    [ownId, lateId].toSorted(),
  );
  expect(await files.take(message('5.2'))).toMatchObject([{ name: 'shared.txt' }]);
  await files.markRemoved([{ fileId: 'F-shared.txt' }]);
  expect(await files.listRemoved([{ fileId: 'F-shared.txt' }])).toEqual([{ ...scope, documentId: sharedId }]);
});

test('a file that is begun after its message was deleted is marked, and so is one of another message by its id', async () => {
  const { message } = await thread('6.0');
  await files.markRemoved([{ channel: 'C1', ts: '6.0' }, { fileId: 'F-sixth.txt' }]);
  expect(await files.begin(message('6.0'), scope, [begun(file('six.txt'))])).toBe(false);
  expect(await files.begin(message('6.1'), scope, [begun(file('sixth.txt')), begun(file('kept.txt'))])).toBe(true);
  const [six, sixth] = [await put(file('six.txt')), await put(file('sixth.txt'))];
  await put(file('kept.txt'));
  const listed = (await files.listRemoved()).map(({ documentId }) => documentId);
  expect(listed).toEqual(expect.arrayContaining([six, sixth]));
  await files.store(message('6.1'), [file('sixth.txt'), file('kept.txt')]);
  expect(await files.take(message('6.2'))).toMatchObject([{ name: 'kept.txt' }]);
});

test('a repeat finds the upload that was begun, and keeps the name of a document that Slack does not give any more', async () => {
  const { message } = await thread('7.0');
  const seven = begun(file('seven.txt'));
  await files.begin(message('7.0'), scope, [seven]);
  expect(await files.findUpload(message('7.0'))).toBeUndefined();
  const ingestionId = randomUUID();
  await files.beginUpload(message('7.0'), ingestionId);
  expect(await files.findUpload(message('7.0'))).toEqual({ files: [seven], ingestionId });
  expect(await files.find(message('7.0'))).toBeUndefined();
  await files.begin(message('7.0'), scope, [{ ...seven, documentName: null, problem: 'It is gone.' }]);
  expect((await files.findUpload(message('7.0')))?.files).toMatchObject([{ documentName: seven.documentName }]);
});

test('a question that was not asked gives back what it took', async () => {
  const { message } = await thread('8.0');
  await store(message('8.0'), scope, [file('a.txt')]);
  expect(await files.take(message('8.1'))).toHaveLength(1);
  await files.giveBack(message('8.1'));
  expect(await files.take(message('8.2'))).toHaveLength(1);
});
