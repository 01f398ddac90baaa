import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createEventListener } from '../../../adapters/postgres/event-listener.ts';
import { createIngestionEvents } from '../../../knowledge/store/ingestion-events.ts';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import type { Documents, IngestionEvents, UploadedFile } from '../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { defaultPlacement, local, putDocument, sha256 } from '../../support/documents/put-document.ts';

const colleague = { tenant: 'local', subject: 'someone-else' };
const stranger = { tenant: 'other', subject: 'local' };
let env: TestEnvironment;
let documents: Documents;
let events: IngestionEvents;
beforeAll(async () => {
  env = await createTestEnvironment();
  documents = createDocuments(env.postgres.db);
  events = createIngestionEvents(
    env.postgres.db,
    createEventListener(() => env.config.DATABASE_URL, env.log),
  );
});
afterAll(() => env?.close());

const put = (name: string, text: string) => putDocument(env.postgres.db, name, text);
const upload = (name: string, content: string): UploadedFile => ({
  name,
  mediaType: 'text/plain',
  bytes: Buffer.from(content),
});

describe('an ingestion', () => {
  const isStored = async (content: string) => (await documents.readFile(local, sha256(content))) !== undefined;

  test('keeps the bytes of a file as long as they are needed', async () => {
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
    expect(await isStored('bytes 2')).toBe(true);
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
    expect(await isStored('bytes 1')).toBe(true);
    await documents.delete(local, second.documentId);
    expect(await isStored('bytes 1')).toBe(false);
    expect(await documents.getIngestion(local, ingestionId)).toMatchObject({
      files: 3,
      counts: { pending: 0, added: 2, failed: 1 },
      failures: [{ name: 'bad.txt' }],
    });
  });

  test('keeps a failed file for a week after its end for a retry, and longer if a document uses it', async () => {
    const { db } = env.postgres;
    const fail = async (name: string, content: string) => {
      const ingestionId = await documents.createIngestion(local, [upload(name, content)], defaultPlacement);
      const outcome = { state: 'failed', code: 'file_unreadable', message: `${name}: no` } as const;
      await documents.recordFileOutcome(local, { ingestionId, ordinal: 0 }, outcome);
      await documents.endIngestion(local, ingestionId, 'completed');
      return ingestionId;
    };
    const setEndedDaysAgo = (id: string, days: number) =>
      db
        .updateTable('ingestions')
        .set({ ended_at: new Date(Date.now() - days * 86_400_000 - 60_000) })
        .where('id', '=', id)
        .execute();
    const old = await fail('old.txt', 'kept 1');
    const used = await fail('held.txt', 'kept 2');
    await setEndedDaysAgo(await fail('young.txt', 'kept 3'), 6);
    await put('copy.txt', 'kept 2');
    await setEndedDaysAgo(old, 7);
    await setEndedDaysAgo(used, 7);
    expect([await documents.deleteExpiredFiles(1), await documents.deleteExpiredFiles(10)]).toEqual([1, 1]);
    expect(await documents.deleteExpiredFiles(10)).toBe(0);
    expect(await Promise.all(['kept 1', 'kept 2', 'kept 3'].map(isStored))).toEqual([false, true, true]);
    await expect(documents.retryIngestion(local, old)).rejects.toMatchObject({ code: 'file_bytes_gone' });
  });

  test('that many callers retry at once gets one retry, with its failed files and placement', async () => {
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
    const placement = await documents.getPlacement(local, ingestionId);
    await documents.put(local, { file: a, parse, placement, upload: { ingestionId, ordinal: 0 } });
    for (const ordinal of [1, 2]) await documents.recordFileOutcome(local, { ingestionId, ordinal }, failure);
    await documents.endIngestion(local, ingestionId, 'completed');

    const retries = await Promise.all(Array.from({ length: 8 }, () => documents.retryIngestion(local, ingestionId)));
    const [retry = ''] = retries;
    expect(new Set(retries).size).toBe(1);
    expect((await documents.getIngestion(local, retry))?.retryOf).toBe(ingestionId);
    expect(await documents.getPlacement(local, retry)).toEqual({ collection: 'again', tags: ['t'], readers: [] });
    const pending = await documents.listPendingFiles(local, retry, 10);
    expect(pending.map(({ name }) => name)).toEqual(['retry-b.txt', 'retry-c.txt']);

    // The next retry contains the files that are still unread, unless a newer document has their name.
    const [b, c] = pending;
    if (!b || !c) throw new Error('two files are pending');
    await documents.put(local, {
      file: b,
      parse,
      placement,
      upload: { ingestionId: retry, ordinal: b.ordinal },
    });
    await documents.recordFileOutcome(local, { ingestionId: retry, ordinal: c.ordinal }, failure);
    await documents.endIngestion(local, retry, 'completed');
    const third = await documents.retryIngestion(local, retry);
    expect(third).not.toBe(retry);
    expect((await documents.listPendingFiles(local, third ?? '', 10)).map(({ name }) => name)).toEqual(['retry-c.txt']);
    await documents.recordFileOutcome(local, { ingestionId: third ?? '', ordinal: c.ordinal }, failure);
    await documents.endIngestion(local, third ?? '', 'completed');
    await documents.put(local, { file: { ...c, contentHash: 'corrected' }, parse, placement });
    await expect(documents.retryIngestion(local, ingestionId)).rejects.toMatchObject({
      code: 'ingestion_without_failures',
    });
    expect(await documents.retryIngestion(colleague, ingestionId)).toBeUndefined();
    expect(await documents.retryIngestion(local, 'nope')).toBeUndefined();
  });

  test('that is cancelled keeps its pending files for a retry, and its first end counts', async () => {
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
    // An activity that has not noticed the end yet still stores a file.
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
    // When the retry fails too, the next one has the same files.
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
    expect(await Promise.all(['never read', 'before read', 'after read'].map(isStored))).toEqual([false, false, true]);
    await expect(documents.retryIngestion(local, ingestionId)).rejects.toMatchObject({ code: 'file_bytes_gone' });
  });

  test('records the first outcome of a file only', async () => {
    const ingestionId = await documents.createIngestion(local, [upload('once.txt', 'once')], defaultPlacement);
    const failure = { state: 'failed', code: 'file_unreadable', message: 'first' } as const;
    await documents.recordFileOutcome(local, { ingestionId, ordinal: 0 }, failure);
    await documents.recordFileOutcome(local, { ingestionId, ordinal: 0 }, { ...failure, message: 'second' });
    expect((await documents.getIngestion(local, ingestionId))?.failures).toMatchObject([
      { error: { message: 'first' } },
    ]);
  });

  test('numbers its events without gaps when many files are settled at once, and none after its end', async () => {
    const files = Array.from({ length: 12 }, (_, n) => upload(`event-${n}.txt`, `event ${n}`));
    const ingestionId = await documents.createIngestion(local, files, defaultPlacement);
    const failure = { state: 'failed', code: 'file_unreadable', message: 'no' } as const;
    const settle = (ordinal: number) => documents.recordFileOutcome(local, { ingestionId, ordinal }, failure);
    await Promise.all(Array.from({ length: 10 }, (_, n) => settle(n)));
    await documents.endIngestion(local, ingestionId, 'cancelled');
    await settle(11);
    const all = await events.read(local, ingestionId, 0, 500);
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    expect(new Set(all.slice(1, -1).map(({ data }) => 'file' in data && data.file)).size).toBe(10);
    expect(all.at(-1)).toMatchObject({ type: 'ingestion.cancelled', data: { outcome: 'none' } });
    const pages = [await events.read(local, ingestionId, 0, 5), await events.read(local, ingestionId, 5, 500)];
    expect(pages.flat()).toEqual(all);
    expect(await events.lastSeq(local, ingestionId)).toBe(12);
    expect(await documents.getIngestion(local, ingestionId)).toMatchObject({ outcome: 'none', counts: { pending: 1 } });
    for (const scope of [stranger, colleague]) {
      expect(await events.read(scope, ingestionId, 0, 500)).toEqual([]);
      expect(await events.lastSeq(scope, ingestionId)).toBeUndefined();
    }
  });

  test('ends while its files are settled, without waiting for each other', async () => {
    for (let round = 0; round < 10; round++) {
      const files = Array.from({ length: 6 }, (_, n) => upload(`race-${round}-${n}.txt`, `race ${round} ${n}`));
      const ingestionId = await documents.createIngestion(local, files, defaultPlacement);
      const failure = { state: 'failed', code: 'file_unreadable', message: 'no' } as const;
      const ends = await Promise.all([
        ...files.map((_, ordinal) => documents.recordFileOutcome(local, { ingestionId, ordinal }, failure)),
        documents.endIngestion(local, ingestionId, 'failed'),
        documents.endIngestion(local, ingestionId, 'cancelled'),
      ]);
      expect(ends.filter((ended) => ended === true)).toHaveLength(1);
      const seen = await events.read(local, ingestionId, 0, 50);
      expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, n) => n + 1));
      expect(seen.at(-1)?.type).toMatch(/^ingestion\.(failed|cancelled)$/);
    }
  });

  test('names the added files whose content is there under another name', async () => {
    await put('handbook/copied.txt', 'Copied.');
    const files = [upload('copied.txt', 'Copied.'), upload('fresh.txt', 'Fresh.'), upload('fresh-2.txt', 'Fresh.')];
    const ingestionId = await documents.createIngestion(local, files, defaultPlacement);
    const pending = await documents.listPendingFiles(local, ingestionId, 10);
    for (const { ordinal, ...file } of pending)
      await documents.put(local, {
        file,
        parse: async () => ({ title: '', text: file.name, language: null, chunks: [] }),
        placement: defaultPlacement,
        upload: { ingestionId, ordinal },
      });
    expect(await documents.getIngestion(local, ingestionId)).toMatchObject({ outcome: null, sameContent: [] });
    await documents.endIngestion(local, ingestionId, 'completed');
    expect(await documents.getIngestion(local, ingestionId)).toMatchObject({
      outcome: 'all',
      sameContent: [{ name: 'copied.txt', as: 'handbook/copied.txt' }],
    });
  });

  test('can be seen and changed only by its owner', async () => {
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

  test('never loses its bytes when a document with the same bytes is deleted at the same time', async () => {
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
      expect(await isStored(content)).toBe(true);
    }
  });
});
