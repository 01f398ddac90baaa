import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { lockVectors } from '../../../knowledge/store/document-changes.ts';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import { insertFile } from '../../../knowledge/store/files.ts';
import { deleteUnusedVectors } from '../../../knowledge/store/replace-chunks.ts';
import { createVectors } from '../../../knowledge/store/vectors.ts';
import { readChanges } from '../../../knowledge/search/change-log.ts';
import { embedMissing } from '../../../activities/documents/embed-missing.ts';
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
const embed = (limit: number, by: Embedder = embedder, to: Vectors = vectors) =>
  embedMissing({ vectors: to, embedder: by }, limit, new AbortController().signal);
const newest = async () => {
  const { rows } = await env.postgres.pool.query<{ seq: string }>(
    'select coalesce(max(seq), 0) as seq from document_changes',
  );
  return Number(rows[0]?.seq);
};
/** How many of the passages that an index would read now, of documents changed after `applied`, have a vector. */
const vectorsAfter = async (applied: number) => {
  const changes = await readChanges(env.postgres.db, { tenant: local.tenant, applied, model });
  return (changes?.documents ?? []).flatMap(({ passages }) => passages).filter(({ vector }) => vector).length;
};
/** A worker that is gone right after it stored vectors. */
const dying: Vectors = {
  ...createVectors(undefined as never),
  listMissing: (...all) => vectors.listMissing(...all),
  store: (...all) => vectors.store(...all),
  publish: () => Promise.reject(new Error('killed')),
};

describe('vectors', () => {
  test('a document of many texts is noted once a batch, not once for every few that are stored', async () => {
    await put('long.md', parts(100));
    const before = await newest();
    expect(await embed(256)).toBe(100);
    expect((await newest()) - before).toBe(1);
    expect(await vectorsAfter(before)).toBe(100);
    expect(await vectors.pendingSince(model)).toBeUndefined();
    expect(await embed(256)).toBe(0);
    expect((await newest()) - before).toBe(1);
  });

  test('a document that one batch does not finish is searched by the vectors that it has', async () => {
    await put('long.md', parts(50));
    const before = await newest();
    await embed(30);
    expect(await vectorsAfter(before)).toBe(30);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
    const between = await newest();
    await embed(30);
    expect(await vectorsAfter(between)).toBe(50);
    expect(await vectors.pendingSince(model)).toBeUndefined();
  });

  test('what a worker stored before it died is taken over by the next', async () => {
    await put('one.txt', 'Parental leave lasts sixteen weeks.');
    const before = await newest();
    await expect(embed(256, embedder, dying)).rejects.toThrow('killed');
    expect(await vectorsAfter(before)).toBe(0);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
    expect(await embed(256)).toBe(0);
    expect(await vectorsAfter(before)).toBe(1);
    expect(await vectors.pendingSince(model)).toBeUndefined();
  });

  test('what was stored is taken over although a later text fails', async () => {
    await put('long.md', parts(40));
    const before = await newest();
    let calls = 0;
    const failing: Embedder = {
      ...embedder,
      embedPassages: (texts, signal) =>
        ++calls > 2 ? Promise.reject(new Error('broken')) : embedder.embedPassages(texts, signal),
    };
    await expect(embed(256, failing)).rejects.toThrow('broken');
    expect(await vectorsAfter(before)).toBe(32);
  });

  test('another model has everything before it, and so has the first one after a text has changed', async () => {
    await put('one.txt', 'Dogs may come on Fridays.');
    await put('two.txt', 'Cats may not.');
    await embed(256);
    const other = createWordEmbedder('words@2');
    expect(await vectors.pendingSince(other.model)).toBeInstanceOf(Date);
    expect(await vectors.listMissing(other.model, 10)).toHaveLength(2);
    expect(await embed(256, other)).toBe(2);
    // Its vectors are still there: nothing is made again.
    expect(await embed(256)).toBe(0);
    expect(await vectors.pendingSince(model)).toBeUndefined();
    await put('two.txt', 'Cats may come on Mondays.');
    expect(await vectors.listMissing(model, 10)).toMatchObject([{ text: 'Cats may come on Mondays.' }]);
  });

  test('a text that another document holds is not missing from a new one', async () => {
    await put('one.txt', 'Said twice.');
    await embed(256);
    await put('two.txt', 'Said twice.');
    expect(await vectors.listMissing(model, 10)).toEqual([]);
    await embed(256);
    expect(await vectors.pendingSince(model)).toBeUndefined();
  });

  test('a document that is replaced while it is settled is not taken for finished', async () => {
    const { documentId } = await put('one.txt', 'Parental leave lasts sixteen weeks.');
    await expect(embed(256, embedder, dying)).rejects.toThrow('killed');
    const replaced = await env.postgres.pool.connect();
    await replaced.query('begin');
    await replaced.query('update documents set version = version + 1 where id = $1', [documentId]);
    const settled = vectors.publish(model);
    await untilWaiting(1);
    await replaced.query(
      `insert into chunks (id, document_id, ordinal, heading_path, text, start_at, end_at) values ('new', $1, 7, '{}', 'New.', 0, 4)`,
      [documentId],
    );
    await replaced.query('commit');
    replaced.release();
    await settled;
    expect(await vectors.listMissing(model, 10)).toMatchObject([{ text: 'New.' }]);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
  });

  test('a document is not taken for finished by a vector that is just being dropped', async () => {
    await put('one.txt', 'Said twice.');
    await embed(256);
    // Whoever removes the first document has seen that nobody else needs the vector; then a second one comes.
    const { settling } = await env.postgres.db.transaction().execute(async (tx) => {
      await tx.deleteFrom('documents').where('name', '=', 'one.txt').execute();
      await deleteUnusedVectors(tx, local.tenant, [sha256('Said twice.')]);
      await put('two.txt', 'Said twice.');
      const begun = vectors.publish(model);
      await untilWaiting(1);
      return { settling: begun };
    });
    await settling;
    expect(await vectors.listMissing(model, 10)).toHaveLength(1);
    expect(await vectors.pendingSince(model)).toBeInstanceOf(Date);
  });

  test('of two documents with the same content one may be replaced while the other is deleted', async () => {
    const { db } = env.postgres;
    await put('one.txt', 'Said twice.');
    const { documentId } = await put('two.txt', 'Said twice.');
    await insertFile(db, local.tenant, sha256('Said twice.'), Buffer.from('Said twice.'));
    // Both want the file and the vectors; while somebody has the vectors each gets as far as it can.
    const both = await db.transaction().execute(async (tx) => {
      await lockVectors(tx);
      const deleted = createDocuments(db).delete(local, documentId);
      await untilWaiting(1);
      const replaced = put('one.txt', 'Said anew.');
      await untilWaiting(2);
      return { ended: Promise.allSettled([deleted, replaced]) };
    });
    expect(await both.ended).toMatchObject([{ value: true }, { value: { state: 'replaced' } }]);
  });
});

/** Until so many sessions of this database wait for a lock. */
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
