import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import type { Documents, UploadedFile } from '../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, defaultPlacement, putDocument, sha256 } from '../../support/documents/put-document.ts';

const colleague = { tenant: 'local', subject: 'someone-else' };
const stranger = { tenant: 'other', subject: 'local' };
let env: TestEnvironment;
let documents: Documents;
beforeAll(async () => {
  env = await createTestEnvironment();
  documents = createDocuments(env.postgres.db);
});
afterAll(() => env?.close());

const put = (name: string, text: string, scope = local) => putDocument(env.postgres.db, name, text, scope);
const upload = (name: string, content: string): UploadedFile => ({
  name,
  mediaType: 'text/plain',
  bytes: Buffer.from(content),
});
const chunksOf = (id: string) =>
  env.postgres.db.selectFrom('chunks').selectAll().where('document_id', '=', id).orderBy('ordinal').execute();
const newestChange = async () =>
  (
    await env.postgres.db
      .selectFrom('document_changes')
      .select((eb) => eb.fn.max('seq').as('seq'))
      .executeTakeFirst()
  )?.seq ?? 0;

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
    const before = [await documents.get(local, documentId), await newestChange()];
    const parse = () => Promise.reject(new Error('parsed'));
    const file = { name: 'same.txt', mediaType: 'text/plain', contentHash: sha256('One.'), sizeBytes: 4 };
    expect(await documents.put(local, { file, parse, placement: defaultPlacement })).toEqual({
      state: 'unchanged',
      documentId,
    });
    expect([await documents.get(local, documentId), await newestChange()]).toEqual(before);
  });

  test('that changed keeps its id and replaces its chunks', async () => {
    const { documentId } = await put('changing.txt', 'Old.\n\nOlder.');
    const old = await chunksOf(documentId);
    expect(await put('changing.txt', 'New.', colleague)).toEqual({ state: 'replaced', documentId });
    const chunks = await chunksOf(documentId);
    expect(chunks.map(({ text }) => text)).toEqual(['New.']);
    expect(old.map(({ id }) => id)).not.toContain(chunks[0]?.id);
  });

  test('that is deleted is gone with its chunks, once', async () => {
    const { documentId } = await put('gone.txt', 'Soon.');
    expect(await documents.delete(local, documentId)).toBe(true);
    expect(await documents.get(local, documentId)).toBeUndefined();
    expect(await chunksOf(documentId)).toEqual([]);
    expect(await documents.delete(local, documentId)).toBe(false);
  });

  test('belongs to its tenant, whoever asks there, and to no other', async () => {
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

  test('that cannot be parsed leaves the old version as it was', async () => {
    const { documentId } = await put('kept.txt', 'Good.');
    const file = { name: 'kept.txt', mediaType: 'text/plain', contentHash: sha256('broken'), sizeBytes: 6 };
    await expect(
      documents.put(local, { file, parse: () => Promise.reject(new Error('broken')), placement: defaultPlacement }),
    ).rejects.toThrow('broken');
    expect((await documents.read(local, documentId))?.text).toBe('Good.');
  });

  test('of one name written by many at once is one document with the chunks of one version', async () => {
    const versions = Array.from({ length: 12 }, (_, i) => `Version ${i}.\n\nStill ${i}.`);
    const outcomes = await Promise.all(versions.map((text) => put('contested.txt', text)));
    expect(new Set(outcomes.map(({ documentId }) => documentId)).size).toBe(1);
    expect(outcomes.filter(({ state }) => state === 'added')).toHaveLength(1);
    const id = outcomes[0]?.documentId ?? '';
    const text = (await documents.read(local, id))?.text;
    expect(versions).toContain(text);
    expect((await chunksOf(id)).map((chunk) => chunk.text)).toEqual(text?.split('\n\n'));
  });

  test('ids that are none find nothing', async () => {
    for (const id of ['', 'x', "' or 1=1 --"]) {
      expect(await documents.get(local, id)).toBeUndefined();
      expect(await documents.read(local, id)).toBeUndefined();
      expect(await documents.delete(local, id)).toBe(false);
      expect(await documents.getIngestion(local, id)).toBeUndefined();
      expect(await documents.listPendingFiles(local, id, 5)).toEqual([]);
    }
  });
});

test('a list goes through all names once, page by page, and refuses a cursor it never gave', async () => {
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
  await expect(documents.list(tenant, { limit: 2, cursor: '!' })).rejects.toMatchObject({ code: 'invalid_request' });
});

test('changes appear in the order of their numbers, and only the newest of a document is kept', async () => {
  const seen = new Set<number>();
  let newest = await newestChange();
  const writes = Promise.all(Array.from({ length: 40 }, (_, i) => put(`ordered-${i % 10}.txt`, `Version ${i}.`)));
  let writing = true;
  void writes.finally(() => (writing = false));
  while (writing) {
    // Whoever read up to `newest` must never find a lower number later.
    const rows = await env.postgres.db.selectFrom('document_changes').select('seq').execute();
    for (const { seq } of rows) if (!seen.has(seq)) expect(seq).toBeGreaterThan(seen.size > 0 ? newest : 0);
    for (const { seq } of rows) seen.add(seq);
    newest = Math.max(newest, ...seen);
  }
  await writes;
  const rows = await env.postgres.db.selectFrom('document_changes').select('document_id').execute();
  expect(new Set(rows.map(({ document_id }) => document_id)).size).toBe(rows.length);
});

describe('an ingestion', () => {
  const stored = async (content: string) => (await documents.readFile(local, sha256(content))) !== undefined;

  test('keeps the bytes of a file until nothing needs them', async () => {
    const ingestionId = await documents.createIngestion(
      local,
      [upload('one.txt', 'bytes 1'), upload('two.txt', 'bytes 1'), upload('bad.txt', 'bytes 2')],
      defaultPlacement,
    );
    const [one, two, bad] = await documents.listPendingFiles(local, ingestionId, 10);
    if (!one || !two || !bad) throw new Error('three files are pending');
    const parse = async () => ({ title: 't', text: 'bytes 1', language: null, chunks: [] });
    await documents.recordFileOutcome(
      local,
      { ingestionId, ordinal: bad.ordinal },
      { state: 'failed', code: 'file_unreadable', message: 'bad.txt: no' },
    );
    expect(await stored('bytes 2')).toBe(true);
    const first = await documents.put(local, {
      file: one,
      parse,
      placement: defaultPlacement,
      upload: { ingestionId, ordinal: one.ordinal },
    });
    const second = await documents.put(local, {
      file: two,
      parse,
      placement: defaultPlacement,
      upload: { ingestionId, ordinal: two.ordinal },
    });
    if (first.state === 'failed' || second.state === 'failed') throw new Error('both are added');
    await documents.delete(local, first.documentId);
    expect(await stored('bytes 1')).toBe(true);
    await documents.delete(local, second.documentId);
    expect(await stored('bytes 1')).toBe(false);
    expect(await documents.getIngestion(local, ingestionId)).toMatchObject({
      files: 3,
      counts: { pending: 0, added: 2, failed: 1 },
      failures: [{ name: 'bad.txt' }],
    });
  });

  test('keeps a failed file for a week after its end, for a retry, and longer when something else holds it', async () => {
    const { db } = env.postgres;
    const fail = async (name: string, content: string) => {
      const ingestionId = await documents.createIngestion(local, [upload(name, content)], defaultPlacement);
      const outcome = { state: 'failed', code: 'file_unreadable', message: `${name}: no` } as const;
      await documents.recordFileOutcome(local, { ingestionId, ordinal: 0 }, outcome);
      await documents.endIngestion(local, ingestionId, 'completed');
      return ingestionId;
    };
    const endedBefore = (id: string, days: number) =>
      db
        .updateTable('ingestions')
        .set({ ended_at: new Date(Date.now() - days * 86_400_000 - 60_000) })
        .where('id', '=', id)
        .execute();
    const old = await fail('old.txt', 'kept 1');
    const held = await fail('held.txt', 'kept 2');
    await endedBefore(await fail('young.txt', 'kept 3'), 6);
    await put('copy.txt', 'kept 2');
    await endedBefore(old, 7);
    await endedBefore(held, 7);
    expect([await documents.deleteExpiredFiles(1), await documents.deleteExpiredFiles(10)]).toEqual([1, 1]);
    expect(await documents.deleteExpiredFiles(10)).toBe(0);
    expect(await Promise.all(['kept 1', 'kept 2', 'kept 3'].map(stored))).toEqual([false, true, true]);
    await expect(documents.retryIngestion(local, old)).rejects.toMatchObject({ code: 'file_bytes_gone' });
  });

  test('is retried once for any number of callers at once, with its failed files and its place', async () => {
    const files = ['a', 'b', 'c'].map((name) => upload(`retry-${name}.txt`, `retry ${name}`));
    const ingestionId = await documents.createIngestion(local, files, {
      collection: 'again',
      tags: ['t'],
      readers: [],
    });
    const failure = { state: 'failed', code: 'file_unreadable', message: 'no' } as const;
    const [a] = await documents.listPendingFiles(local, ingestionId, 1);
    await expect(documents.retryIngestion(local, ingestionId)).rejects.toMatchObject({ code: 'ingestion_running' });
    if (!a) throw new Error('a file is pending');
    const parse = async () => ({ title: 't', text: 'retry a', language: null, chunks: [] });
    const where = await documents.getPlacement(local, ingestionId);
    await documents.put(local, { file: a, parse, placement: where, upload: { ingestionId, ordinal: 0 } });
    for (const ordinal of [1, 2]) await documents.recordFileOutcome(local, { ingestionId, ordinal }, failure);
    await documents.endIngestion(local, ingestionId, 'completed');

    const tries = await Promise.all(Array.from({ length: 8 }, () => documents.retryIngestion(local, ingestionId)));
    const [retry = ''] = tries;
    expect(new Set(tries).size).toBe(1);
    expect((await documents.getIngestion(local, retry))?.retryOf).toBe(ingestionId);
    expect(await documents.getPlacement(local, retry)).toEqual({ collection: 'again', tags: ['t'], readers: [] });
    const pending = await documents.listPendingFiles(local, retry, 10);
    expect(pending.map(({ name }) => name)).toEqual(['retry-b.txt', 'retry-c.txt']);

    // The next one, of either, takes what is left, but not in the place of something newer.
    const [b, c] = pending;
    if (!b || !c) throw new Error('two files are pending');
    await documents.put(local, {
      file: b,
      parse,
      placement: where,
      upload: { ingestionId: retry, ordinal: b.ordinal },
    });
    await documents.recordFileOutcome(local, { ingestionId: retry, ordinal: c.ordinal }, failure);
    await documents.endIngestion(local, retry, 'completed');
    const third = await documents.retryIngestion(local, retry);
    expect(third).not.toBe(retry);
    expect((await documents.listPendingFiles(local, third ?? '', 10)).map(({ name }) => name)).toEqual(['retry-c.txt']);
    await documents.recordFileOutcome(local, { ingestionId: third ?? '', ordinal: c.ordinal }, failure);
    await documents.endIngestion(local, third ?? '', 'completed');
    await documents.put(local, { file: { ...c, contentHash: 'corrected' }, parse, placement: where });
    await expect(documents.retryIngestion(local, ingestionId)).rejects.toMatchObject({
      code: 'ingestion_without_failures',
    });
    expect(await documents.retryIngestion(colleague, ingestionId)).toBeUndefined();
    expect(await documents.retryIngestion(local, 'nope')).toBeUndefined();
  });

  test('that is given up keeps what was pending for a retry, and its first end counts', async () => {
    const files = ['never', 'before', 'after'].map((name) => upload(`${name}.txt`, `${name} read`));
    const ingestionId = await documents.createIngestion(local, files, defaultPlacement);
    const failure = { state: 'failed', code: 'file_unreadable', message: 'no' } as const;
    await documents.recordFileOutcome(local, { ingestionId, ordinal: 1 }, failure);
    expect(await documents.endIngestion(local, ingestionId, 'cancelled')).toBe(true);
    expect(await documents.endIngestion(local, ingestionId, 'completed')).toBe(false);
    expect(await documents.getIngestion(local, ingestionId)).toMatchObject({
      status: 'cancelled',
      counts: { pending: 2, failed: 1 },
    });
    // An activity that did not know of the end yet.
    const [, late] = await documents.listPendingFiles(local, ingestionId, 2);
    if (!late) throw new Error('two files are pending');
    const parse = async () => ({ title: 't', text: 'after read', language: null, chunks: [] });
    await documents.put(local, {
      file: late,
      parse,
      placement: defaultPlacement,
      upload: { ingestionId, ordinal: late.ordinal },
    });

    const retry = (await documents.retryIngestion(local, ingestionId)) ?? '';
    expect((await documents.listPendingFiles(local, retry, 9)).map(({ name }) => name)).toEqual([
      'never.txt',
      'before.txt',
    ]);
    // The retry is lost too: the next one has the same to read.
    await documents.endIngestion(local, retry, 'failed');
    const again = (await documents.retryIngestion(local, retry)) ?? '';
    expect(again).not.toBe(retry);
    expect(await documents.listPendingFiles(local, again, 9)).toHaveLength(2);
    await documents.endIngestion(local, again, 'failed');

    await env.postgres.pool.query(
      `update ingestions set ended_at = now() - interval '8 days' where $1 in (id, retry_of)`,
      [ingestionId],
    );
    await documents.deleteExpiredFiles(100);
    expect(await Promise.all(['never read', 'before read', 'after read'].map(stored))).toEqual([false, false, true]);
    await expect(documents.retryIngestion(local, ingestionId)).rejects.toMatchObject({ code: 'file_bytes_gone' });
  });

  test('settles a file once', async () => {
    const ingestionId = await documents.createIngestion(local, [upload('once.txt', 'once')], defaultPlacement);
    const failure = { state: 'failed', code: 'file_unreadable', message: 'first' } as const;
    await documents.recordFileOutcome(local, { ingestionId, ordinal: 0 }, failure);
    await documents.recordFileOutcome(local, { ingestionId, ordinal: 0 }, { ...failure, message: 'second' });
    expect((await documents.getIngestion(local, ingestionId))?.failures).toMatchObject([
      { error: { message: 'first' } },
    ]);
  });

  test('is seen and settled by its owner only', async () => {
    const ingestionId = await documents.createIngestion(local, [upload('mine.txt', 'mine')], defaultPlacement);
    for (const scope of [stranger, colleague]) {
      expect(await documents.getIngestion(scope, ingestionId)).toBeUndefined();
      expect(await documents.listPendingFiles(scope, ingestionId, 5)).toEqual([]);
      await documents.recordFileOutcome(
        scope,
        { ingestionId, ordinal: 0 },
        { state: 'failed', code: 'internal', message: '' },
      );
      await documents.endIngestion(scope, ingestionId, 'failed');
    }
    expect(await documents.readFile(stranger, sha256('mine'))).toBeUndefined();
    expect(await documents.getIngestion(local, ingestionId)).toMatchObject({
      status: 'running',
      counts: { pending: 1 },
    });
  });

  test('never loses bytes to a document of the same bytes that goes at the same time', async () => {
    for (let round = 0; round < 20; round++) {
      const content = `contested ${round}`;
      const before = await documents.createIngestion(local, [upload(`c${round}.txt`, content)], defaultPlacement);
      const [file] = await documents.listPendingFiles(local, before, 1);
      if (!file) throw new Error('one file is pending');
      const outcome = await documents.put(local, {
        file,
        parse: async () => ({ title: '', text: content, language: null, chunks: [] }),
        placement: defaultPlacement,
        upload: { ingestionId: before, ordinal: 0 },
      });
      if (outcome.state === 'failed') throw new Error(outcome.message);
      await Promise.all([
        documents.delete(local, outcome.documentId),
        documents.createIngestion(local, [upload('again.txt', content)], defaultPlacement),
      ]);
      expect(await stored(content)).toBe(true);
    }
  });
});
