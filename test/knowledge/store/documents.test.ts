import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import type { Documents } from '../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { plainParser } from '../../support/documents/plain-parser.ts';
import { defaultPlacement, local, putDocument, sha256 } from '../../support/documents/put-document.ts';
import { putFile } from '../../support/documents/put-file.ts';

const colleague = { tenant: 'local', subject: 'someone-else' };
const stranger = { tenant: 'other', subject: 'local' };
let env: TestEnvironment;
let documents: Documents;
beforeAll(async () => {
  env = await createTestEnvironment();
  documents = createDocuments(env.postgres.db);
});
afterAll(() => env?.close());

const put = (name: string, text: string, scope = local) => putDocument(env.postgres.db, name, text, { scope });
const chunksOf = (id: string) =>
  env.postgres.db.selectFrom('chunks').selectAll().where('document_id', '=', id).orderBy('ordinal').execute();
const newestSequence = async () =>
  (
    await env.postgres.db
      .selectFrom('document_changes')
      .select((eb) => eb.fn.max('seq').as('seq'))
      .executeTakeFirst()
  )?.seq ?? 0;

test('the original of a document is read by who may read it, and is absent where its bytes are not kept', async () => {
  const bytes = new TextEncoder().encode('item,2024\nRevenue,5\n');
  const id = await putFile({ documents, parser: plainParser }, { name: 'kept.csv', bytes }, { readers: [] });
  const kept = await documents.readOriginal(local, id);
  expect([kept?.document.name, kept?.bytes && Buffer.from(kept.bytes).equals(bytes)]).toEqual(['kept.csv', true]);
  const { documentId } = await put('without.csv', 'item,2024');
  expect(await documents.readOriginal(local, documentId)).toMatchObject({
    document: { id: documentId },
    bytes: undefined,
  });
  for (const other of [colleague, stranger]) expect(await documents.readOriginal(other, id)).toBeUndefined();
});

test('documents are found by their whole name, among those that the subject may read', async () => {
  const mine = await put('name.csv', 'Mine.');
  const theirs = await putDocument(env.postgres.db, 'name.csv', 'Theirs.', {
    scope: colleague,
    placement: { readers: [] },
  });
  const ids = async (scope = local) => (await documents.findByName(scope, 'name.csv')).map(({ id }) => id);
  expect(await ids()).toEqual([mine.documentId]);
  expect((await ids(colleague)).sort()).toEqual([mine.documentId, theirs.documentId].sort());
  expect(await ids(stranger)).toEqual([]);
  expect(await documents.findByName(local, 'name')).toEqual([]);
});

describe('a document', () => {
  test('is added with its text, chunks and description', async () => {
    const text = '# Leave\n\nTwenty-five days.\n\nAsk your manager.';
    const outcome = await put('leave.txt', text);
    expect(outcome.state).toBe('added');
    expect(await documents.get(local, outcome.documentId)).toMatchObject({
      name: 'leave.txt',
      title: 'Leave',
      characters: text.length,
      chunks: 2,
      contentHash: sha256(text),
    });
    expect((await documents.read(local, outcome.documentId))?.text).toBe(text);
    for (const chunk of await chunksOf(outcome.documentId)) {
      expect(text.slice(chunk.start_at, chunk.end_at)).toBe(chunk.text);
      expect(chunk.heading_path).toEqual(['Leave']);
    }
  });

  test('that is added again unchanged is neither parsed nor written', async () => {
    const { documentId } = await put('same.txt', 'One.');
    const before = [await documents.get(local, documentId), await newestSequence()];
    const parse = () => Promise.reject(new Error('parsed'));
    const file = { name: 'same.txt', mediaType: 'text/plain', contentHash: sha256('One.'), sizeBytes: 4 };
    expect(await documents.put(local, { file, parse, placement: defaultPlacement })).toEqual({
      state: 'unchanged',
      documentId,
    });
    expect([await documents.get(local, documentId), await newestSequence()]).toEqual(before);
  });

  test('of which the same bytes are read as another text is another version', async () => {
    const bytes = { name: 'reread.txt', mediaType: '', contentHash: sha256('bytes'), sizeBytes: 5 };
    const read = async (text: string, notice?: string) => {
      // As if the collection had got other settings: the file is parsed again.
      await env.postgres.db
        .updateTable('documents')
        .set({ chunk_tokens: 999 })
        .where('name', '=', bytes.name)
        .execute();
      const parse = async () => ({ title: '', text, language: null, chunks: [], mediaType: 'text/html', notice });
      const outcome = await documents.put(local, { file: bytes, parse, placement: defaultPlacement });
      if (outcome.state === 'failed') throw new Error(outcome.message);
      return documents.get(local, outcome.documentId);
    };
    const first = await read('One ü.', 'It came as .txt.');
    expect(first).toMatchObject({ version: 1, mediaType: 'text/html', notice: 'It came as .txt.' });
    expect(await read('One ü.')).toMatchObject({ version: 1, updatedAt: first?.updatedAt, notice: null });
    expect(await read('Two.')).toMatchObject({ version: 2, characters: 4 });
  });

  test('whose pictures were not read is read again, once, when text recognition is switched on', async () => {
    const file = { name: 'scan.pdf', mediaType: '', contentHash: sha256('scan'), sizeBytes: 4 };
    const add = async (recognises: boolean) => {
      const parse = async () => ({
        title: '',
        text: recognises ? 'Cover. Page two.' : 'Cover.',
        language: null,
        chunks: [],
        mediaType: 'application/pdf',
        unreadPictures: !recognises,
      });
      const store = createDocuments(env.postgres.db, { recognises });
      const outcome = await store.put(local, { file, parse, placement: defaultPlacement });
      return outcome.state;
    };
    expect(await add(false)).toBe('added');
    expect(await add(false)).toBe('unchanged');
    expect(await add(true)).toBe('replaced');
    expect(await add(true)).toBe('unchanged');
    // As the version before wrote it, of which it is not known.
    await env.postgres.db
      .updateTable('documents')
      .set({ unread_pictures: null })
      .where('name', '=', file.name)
      .execute();
    expect(await add(false)).toBe('unchanged');
    expect(await add(true)).toBe('replaced');
    expect(await add(true)).toBe('unchanged');
  });

  test('that came from another origin is replaced only when the sender says so', async () => {
    const from = async (origin: string, text: string, replace?: boolean) => {
      const placement = { origin, ...(replace ? { replace } : {}) };
      return (await putDocument(env.postgres.db, 'guide/a.txt', text, { placement })).state;
    };
    const { documentId } = await putDocument(env.postgres.db, 'guide/a.txt', 'A.', { placement: { origin: '/a' } });
    await expect(from('/b', 'B.')).rejects.toMatchObject({ message: expect.stringMatching(/\(\/a\).*--replace/) });
    expect(await from('/b', 'A.')).toBe('unchanged');
    expect(await from('/a', 'A, changed.')).toBe('replaced');
    expect(await from('/b', 'B.', true)).toBe('replaced');
    expect(await from('/c', 'B.', true)).toBe('replaced');
    expect(await from('/c', 'B.', true)).toBe('unchanged');
    expect(await documents.get(local, documentId)).toMatchObject({ origin: '/c', version: 3 });
    expect((await put('guide/a.txt', 'From nowhere.')).state).toBe('replaced');
  });

  test('that is changed keeps its id, and its chunks are replaced', async () => {
    const { documentId } = await put('changing.txt', 'Old.\n\nOlder.');
    const old = await chunksOf(documentId);
    expect(await put('changing.txt', 'New.')).toEqual({ state: 'replaced', documentId });
    const chunks = await chunksOf(documentId);
    expect(chunks.map(({ text }) => text)).toEqual(['New.']);
    expect(old.map(({ id }) => id)).not.toContain(chunks[0]?.id);
  });

  test('that is deleted is gone with its chunks; a second deletion finds nothing', async () => {
    const { documentId } = await put('gone.txt', 'Soon.');
    expect(await documents.delete(local, documentId)).toBe(true);
    expect(await documents.get(local, documentId)).toBeUndefined();
    expect(await chunksOf(documentId)).toEqual([]);
    expect(await documents.delete(local, documentId)).toBe(false);
  });

  test('is visible in its tenant to every subject, and in no other tenant', async () => {
    const { documentId } = await put('shared.txt', 'Ours.');
    expect(await documents.get(colleague, documentId)).toBeDefined();
    expect(await documents.get(stranger, documentId)).toBeUndefined();
    expect(await documents.read(stranger, documentId)).toBeUndefined();
    expect(await documents.delete(stranger, documentId)).toBe(false);
    expect((await documents.list(stranger, { limit: 10 })).documents).toEqual([]);
    const theirs = await put('shared.txt', 'Theirs.', stranger);
    expect(theirs.state).toBe('added');
    expect((await documents.read(local, documentId))?.text).toBe('Ours.');
    await documents.delete(stranger, theirs.documentId);
  });

  test('keeps its old version when the new one cannot be parsed', async () => {
    const { documentId } = await put('kept.txt', 'Good.');
    const file = { name: 'kept.txt', mediaType: 'text/plain', contentHash: sha256('broken'), sizeBytes: 6 };
    await expect(
      documents.put(local, { file, parse: () => Promise.reject(new Error('broken')), placement: defaultPlacement }),
    ).rejects.toThrow('broken');
    expect((await documents.read(local, documentId))?.text).toBe('Good.');
  });

  test('that many writers replace at once has the text and chunks of one version', async () => {
    const versions = Array.from({ length: 12 }, (_, i) => `Version ${i}.\n\nStill ${i}.`);
    const outcomes = await Promise.all(versions.map((text) => put('contested.txt', text)));
    expect(new Set(outcomes.map(({ documentId }) => documentId)).size).toBe(1);
    expect(outcomes.filter(({ state }) => state === 'added')).toHaveLength(1);
    const id = outcomes[0]?.documentId ?? '';
    const text = (await documents.read(local, id))?.text;
    expect(versions).toContain(text);
    expect((await chunksOf(id)).map((chunk) => chunk.text)).toEqual(text?.split('\n\n'));
  });

  test('with an invalid id is not found', async () => {
    for (const id of ['', 'x', "' or 1=1 --"]) {
      expect(await documents.get(local, id)).toBeUndefined();
      expect(await documents.read(local, id)).toBeUndefined();
      expect(await documents.delete(local, id)).toBe(false);
      expect(await documents.getIngestion(local, id)).toBeUndefined();
      expect(await documents.listPendingFiles(local, id, 5)).toEqual([]);
    }
  });
});

test('a list returns each document once over all pages, and refuses an invalid cursor', async () => {
  const tenant = { tenant: 'pages', subject: 'local' };
  const names = ['ä.txt', 'a.txt', 'B.txt', 'b.txt', 'folder/ß.txt', '日本.txt', 'a b.txt'];
  for (const name of names) await put(name, 'Text.', tenant);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await documents.list(tenant, { limit: 2, ...(cursor ? { cursor } : {}) });
    seen.push(...page.documents.map(({ name }) => name));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  expect([...seen].sort()).toEqual([...names].sort());
  const notStrings = Buffer.from('[{"toString":1,"valueOf":1},"x"]').toString('base64url');
  for (const invalid of ['!', notStrings])
    await expect(documents.list(tenant, { limit: 2, cursor: invalid })).rejects.toMatchObject({
      code: 'invalid_request',
    });
});

test('changes become visible in the order of their numbers, and each document keeps only the newest', async () => {
  const seen = new Set<number>();
  let newest = await newestSequence();
  const writes = Promise.all(Array.from({ length: 40 }, (_, i) => put(`ordered-${i % 10}.txt`, `Version ${i}.`)));
  let writing = true;
  void writes.finally(() => {
    writing = false;
  });
  while (writing) {
    // An index that has read up to `newest` must never find a lower number later.
    const rows = await env.postgres.db.selectFrom('document_changes').select('seq').execute();
    for (const { seq } of rows) if (!seen.has(seq)) expect(seq).toBeGreaterThan(seen.size > 0 ? newest : 0);
    for (const { seq } of rows) seen.add(seq);
    newest = Math.max(newest, ...seen);
  }
  await writes;
  const rows = await env.postgres.db.selectFrom('document_changes').select('document_id').execute();
  expect(new Set(rows.map(({ document_id }) => document_id)).size).toBe(rows.length);
});
