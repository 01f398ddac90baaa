import { createClient, type Client } from '@libsql/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seededRandom } from '../../../cli/eval/seeded-random.ts';
import { emptyFileCache } from '../../../knowledge/search/embedded/file-cache.ts';
import { schemaStatements } from '../../../knowledge/search/embedded/schema.ts';
import { loadVectors, searchDense } from '../../../knowledge/search/embedded/search-dense.ts';

const dimensions = 16;
const random = seededRandom(11);
const newVector = () => Float32Array.from({ length: dimensions }, () => 1 + random() - 0.5);

let client: Client;
beforeAll(async () => {
  client = createClient({ url: ':memory:' });
  await client.batch(schemaStatements, 'write');
});
afterAll(() => client?.close());

let stored = 0;
async function store(vectors: Float32Array[]) {
  const statements = vectors.flatMap((vector) => {
    const id = ++stored;
    return [
      {
        sql: 'insert into passages (id, chunk_id, document, class, updated) values (?, ?, 1, 1, 0)',
        args: [id, `c${id}`],
      },
      { sql: 'insert into vectors (passage, vector) values (?, ?)', args: [id, new Uint8Array(vector.buffer)] },
    ];
  });
  await client.batch(statements, 'write');
}

test('codes whose levels were chosen by few vectors are made again when there are many', async () => {
  const cache = emptyFileCache();
  cache.classes.set(1, { readers: [], collection: '', tags: [], language: null });
  const query = newVector();
  /** As a search does after the file has changed. */
  const search = async () => {
    if (cache.codes) await loadVectors(client, cache);
    return searchDense(client, cache, new Set([1]), { filter: { principals: [] }, text: '', vector: query, depth: 3 });
  };
  const alike = newVector();
  await store([alike, alike]);
  expect((await search()).hits).toHaveLength(2);
  expect(cache.codes).toMatchObject({ measured: 2, size: 2 });
  await store(Array.from({ length: 5 }, newVector));
  await search();
  expect(cache.codes).toMatchObject({ measured: 2, size: 7 });
  await store([...Array.from({ length: 2_000 }, newVector), query]);
  const { hits, searched } = await search();
  expect(cache.codes).toMatchObject({ measured: 2_008, size: 2_008 });
  expect(hits[0]?.chunkId).toBe('c2008');
  expect(searched).toBe(2_008);
});
