import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { lockVectors } from '../../../knowledge/store/document-changes.ts';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import { storeFile } from '../../../knowledge/store/files.ts';
import { deleteUnusedVectors } from '../../../knowledge/store/replace-chunks.ts';
import { createVectors } from '../../../knowledge/store/vectors.ts';
import { readChanges } from '../../../knowledge/search/change-log.ts';
import { embedMissing } from '../../../activities/documents/embed-texts.ts';
import type { Embedder, Vectors } from '../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, putDocument, sha256 } from '../../support/documents/put-document.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';
import { until } from '../../support/until.ts';

let env: TestEnvironment;
let vectors: Vectors;
beforeAll(async () => {
  env = await createTestEnvironment();
  vectors = createVectors(env.postgres.db);
});
afterEach(() => env.postgres.pool.query('truncate documents, chunks, document_changes, embeddings cascade'));
afterAll(() => env?.close());

const embedder = createWordEmbedder();
const { model } = embedder;
const put = (name: string, text: string) => putDocument(env.postgres.db, name, text);
const parts = (count: number) =>
  Array.from({ length: count }, (_, i) => `# Part ${i}\n\nPart ${i} speaks of ${'stone '.repeat(40)}.`).join('\n\n');
const embed = (limit: number, withEmbedder: Embedder = embedder, target: Vectors = vectors) =>
  embedMissing({ vectors: target, embedder: withEmbedder }, limit, new AbortController().signal);
const newestSequence = async () => {
  const { rows } = await env.postgres.pool.query<{ seq: string }>(
    'select coalesce(max(seq), 0) as seq from document_changes',
  );
  return Number(rows[0]?.seq);
};
/**
 * The number of vectors that an index would read now, of documents that changed after the sequence number `applied`.
 */
const countVectorsAfter = async (applied: number) => {
  const changes = await readChanges(env.postgres.db, { tenant: local.tenant, applied, model });
  return (changes?.documents ?? []).flatMap(({ passages }) => passages).filter(({ vector }) => vector).length;
};
/** Fails like a worker that is killed right after it has stored vectors. */
const killedAfterStore: Vectors = {
  ...createVectors(undefined as never),
  listMissing: (...args) => vectors.listMissing(...args),
  store: (...args) => vectors.store(...args),
  publish: () => Promise.reject(new Error('killed')),
};

describe('vectors', () => {
  test('a document with many texts is recorded as changed once a batch', async () => {
    await put('long.md', parts(100));
    const before = await newestSequence();
    expect(await embed(256)).toBe(100);
    expect((await newestSequence()) - before).toBe(1);
    expect(await countVectorsAfter(before)).toBe(100);
    expect(await vectors.pendingSince(model)).toBeUndefined();
    expect(await embed(256)).toBe(0);
    expect((await newestSequence()) - before).toBe(1);
  });

  test('a document that one batch does not complete is indexed with the vectors that it has', async () => {
    await put('long.md', parts(50));
    const before = await newestSequence();
    await embed(30);
    expect(await countVectorsAfter(before)).toBe(30);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
    const between = await newestSequence();
    await embed(30);
    expect(await countVectorsAfter(between)).toBe(50);
    expect(await vectors.pendingSince(model)).toBeUndefined();
  });

  test('vectors that a killed worker has stored are published by the next', async () => {
    await put('one.txt', 'Parental leave lasts sixteen weeks.');
    const before = await newestSequence();
    await expect(embed(256, embedder, killedAfterStore)).rejects.toThrow('killed');
    expect(await countVectorsAfter(before)).toBe(0);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
    expect(await embed(256)).toBe(0);
    expect(await countVectorsAfter(before)).toBe(1);
    expect(await vectors.pendingSince(model)).toBeUndefined();
  });

  test('vectors that are stored are published although a later text fails', async () => {
    await put('long.md', parts(40));
    const before = await newestSequence();
    let calls = 0;
    const failing: Embedder = {
      ...embedder,
      embedPassages: (texts, signal) =>
        ++calls > 2 ? Promise.reject(new Error('broken')) : embedder.embedPassages(texts, signal),
    };
    await expect(embed(256, failing)).rejects.toThrow('broken');
    expect(await countVectorsAfter(before)).toBe(32);
  });

  test('another model has all texts to embed, and the first model only a changed text', async () => {
    await put('one.txt', 'Dogs may come on Fridays.');
    await put('two.txt', 'Cats may not.');
    await embed(256);
    const other = createWordEmbedder('words@2');
    expect(await vectors.pendingSince(other.model)).toBeInstanceOf(Date);
    expect(await vectors.listMissing(other.model, 10)).toHaveLength(2);
    expect(await embed(256, other)).toBe(2);
    // The vectors of the first model are still stored, so nothing is embedded again.
    expect(await embed(256)).toBe(0);
    expect(await vectors.pendingSince(model)).toBeUndefined();
    await put('two.txt', 'Cats may come on Mondays.');
    expect(await vectors.listMissing(model, 10)).toMatchObject([{ text: 'Cats may come on Mondays.' }]);
  });

  test('a text that another document contains is not embedded again', async () => {
    await put('one.txt', 'Said twice.');
    await embed(256);
    await put('two.txt', 'Said twice.');
    expect(await vectors.listMissing(model, 10)).toEqual([]);
    await embed(256);
    expect(await vectors.pendingSince(model)).toBeUndefined();
  });

  test('a document that is replaced while it is published is not marked as complete', async () => {
    const { documentId } = await put('one.txt', 'Parental leave lasts sixteen weeks.');
    await expect(embed(256, embedder, killedAfterStore)).rejects.toThrow('killed');
    const replacing = await env.postgres.pool.connect();
    await replacing.query('begin');
    await replacing.query('update documents set version = version + 1 where id = $1', [documentId]);
    const publishing = vectors.publish(model);
    await untilWaiting(1);
    await replacing.query(
      `insert into chunks (id, document_id, ordinal, heading_path, text, start_at, end_at) values ('new', $1, 7, '{}', 'New.', 0, 4)`,
      [documentId],
    );
    await replacing.query('commit');
    replacing.release();
    await publishing;
    expect(await vectors.listMissing(model, 10)).toMatchObject([{ text: 'New.' }]);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
  });

  test('a document is not marked as complete because of a vector that is just being deleted', async () => {
    await put('one.txt', 'Said twice.');
    await embed(256);
    // The transaction that deletes the first document sees that no other document needs the vector. Then a second
    // document with the same text is added.
    const { publishing } = await env.postgres.db.transaction().execute(async (trx) => {
      await trx.deleteFrom('documents').where('name', '=', 'one.txt').execute();
      await deleteUnusedVectors(trx, local.tenant, [sha256('Said twice.')]);
      await put('two.txt', 'Said twice.');
      const started = vectors.publish(model);
      await untilWaiting(1);
      return { publishing: started };
    });
    await publishing;
    expect(await vectors.listMissing(model, 10)).toHaveLength(1);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
  });

  test('of two documents with the same content one may be replaced while the other is deleted', async () => {
    const { db } = env.postgres;
    await put('one.txt', 'Said twice.');
    const { documentId } = await put('two.txt', 'Said twice.');
    await storeFile(db, local.tenant, sha256('Said twice.'), Buffer.from('Said twice.'));
    // Both need the locks on the file and on the vectors. While this transaction has the lock on the vectors, each of
    // them gets as far as it can.
    const both = await db.transaction().execute(async (trx) => {
      await lockVectors(trx);
      const deleted = createDocuments(db).delete(local, documentId);
      await untilWaiting(1);
      const replaced = put('one.txt', 'Changed.');
      await untilWaiting(2);
      return { ended: Promise.allSettled([deleted, replaced]) };
    });
    expect(await both.ended).toMatchObject([{ value: true }, { value: { state: 'replaced' } }]);
  });
});

/** Waits until `count` sessions of this database wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  await until(
    `${count} sessions wait for a lock`,
    async () => {
      const { rows } = await env.postgres.pool.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return (rows[0]?.n ?? 0) >= count;
    },
    { withinMs: 60_000 },
  );
}
