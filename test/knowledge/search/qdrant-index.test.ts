import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { localEncoder, weightedTerms } from '../../../knowledge/search/qdrant/bm25.ts';
import { withLease } from '../../../knowledge/search/qdrant/with-lease.ts';
import { createQdrantIndex } from '../../../knowledge/search/qdrant/qdrant-index.ts';
import type { PassageIndex } from '../../../knowledge/search/passage-index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { startFakeQdrant } from '../../support/fakes/fake-qdrant.ts';
import { QdrantRefusal } from '../../support/fakes/fake-qdrant-points.ts';
import { embedAll, toyModel, toyVector } from '../../support/documents/passage-indexes.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';
import { untilPasses } from '../../support/until.ts';

let env: TestEnvironment;
let closing: { close(): Promise<void> }[] = [];
beforeAll(async () => void (env = await createTestEnvironment()));
afterEach(async () => {
  await Promise.all(closing.map((one) => one.close()));
  closing = [];
  await env.postgres.pool.query('truncate documents, chunks, document_changes, embeddings restart identity cascade');
});
afterAll(() => env?.close());

const plain = { shards: undefined, replicas: undefined, onDisk: false, quantization: 'none' as const };
type Changed = Partial<Parameters<typeof createQdrantIndex>[0]>;
const serve = async (options: Parameters<typeof startFakeQdrant>[0] = {}) => {
  const fake = await startFakeQdrant(options);
  closing.push(fake);
  return fake;
};
const open = (url: string, changed: Changed = {}): PassageIndex => {
  const { log, postgres } = env;
  const given = { db: postgres.db, log, url, key: undefined, alias: 'passages', settings: plain };
  const index = createQdrantIndex({ ...given, model: async () => '', ...changed });
  closing.unshift(index);
  return index;
};
const put = (name: string, text: string) => putDocument(env.postgres.db, name, text);
const everyone = { principals: ['everyone'] };
const count = async (index: PassageIndex, text: string) =>
  (await index.find(local, everyone, { text }, 10)).lexical.length;

test('a collection is made as the settings say, with an index for whatever is filtered by', async () => {
  const fake = await serve();
  await put('a.txt', 'The hound barks.');
  await embedAll(env.postgres.db, toyModel);
  const settings = { shards: 6, replicas: 2, onDisk: true, quantization: 'binary' as const };
  const index = open(fake.url, { settings, model: async () => toyModel.name });
  const found = await index.find(local, everyone, { text: 'dog', vector: toyVector(toyModel, 'dog') }, 5);
  expect(found.dense).toHaveLength(1);
  expect([...fake.aliases]).toEqual([['passages', 'passages-1']]);
  const { config, points } = fake.collections.get('passages-1') ?? {};
  expect(config).toMatchObject({
    vectors: { dense: { size: 4, distance: 'Cosine', on_disk: true } },
    sparse_vectors: { lexical: { modifier: 'idf', index: { on_disk: true } } },
    on_disk_payload: true,
    quantization_config: { binary: { always_ram: true } },
    shard_number: 6,
    replication_factor: 2,
  });
  expect([...(points?.indexes.keys() ?? [])]).toEqual(
    expect.arrayContaining(['tenant', 'readers', 'collection', 'tags', 'language', 'updated']),
  );
  expect(points?.indexes.get('tenant')).toEqual({ type: 'keyword', is_tenant: true });
});

test('a server that makes no BM25 vectors gets ours, and ranks the same', async () => {
  await put('a.txt', 'Parental leave is sixteen weeks.\n\nAnnual leave is four weeks.\n\nLeave your coat here.');
  const query = { text: 'weeks of parental leave' };
  const [with_, without] = await Promise.all([serve(), serve({ inference: false })]);
  const byServer = (await open(with_.url).find(local, everyone, query, 10)).lexical;
  const byUs = (await open(without.url).find(local, everyone, query, 10)).lexical;
  expect(byUs).toHaveLength(3);
  expect(byUs.map(({ chunkId }) => chunkId)).toEqual(byServer.map(({ chunkId }) => chunkId));
  for (const [i, { score }] of byUs.entries()) expect(score).toBeCloseTo(byServer[i]?.score ?? 0, 5);
});

test('our BM25 vectors are those of Qdrant’s engine', () => {
  // Made by qdrant-edge 0.9.0: k 1.2, b 0.75, avg_len 5, tokenizer whitespace, no stemmer, no stopwords.
  const sentence = localEncoder.passage('the cat sat on the'.split(' '), 5);
  expect(sentence).toEqual({
    indices: [182765111, 703717300, 1132748958, 1751422759],
    values: [1, 1, expect.closeTo(1.375, 6), 1],
  });
  const words = localEncoder.passage('is naïve 年假 छुट्टी a ab abc abcd Reimbursed reimburs'.split(' '), 5);
  expect(words).toMatchObject({
    indices: [
      146766610, 324697095, 356550585, 982029447, 992511445, 1009084850, 1139631978, 1277324294, 1681926305, 2021799277,
    ],
  });
  expect(words).toMatchObject({ values: Array.from({ length: 10 }, () => expect.closeTo(0.7096774, 6) as unknown) });
  expect(localEncoder.query(['the', 'cat', 'the'])).toEqual({ indices: [1132748958, 1751422759], values: [1, 1] });
});

test('words of a title and of headings count twice', () => {
  expect(weightedTerms({ title: 'Travel', headings: 'Trains', body: 'By rail.' })).toEqual([
    'travel',
    'travel',
    'train',
    'train',
    'by',
    'rail',
  ]);
});

test('the key is sent with every request, and a wrong one says where it belongs', async () => {
  const fake = await serve({ key: 'sesame' });
  await put('a.txt', 'Granite.');
  expect(await count(open(fake.url, { key: 'sesame' }), 'granite')).toBe(1);
  for (const key of ['wrong', undefined])
    await expect(count(open(fake.url, { key }), 'granite')).rejects.toMatchObject({
      code: 'index_unavailable',
      message: expect.stringContaining('VECTOR_DB_KEY'),
    });
});

test('a server that is away, and one that is no Qdrant, say what to look at', async () => {
  const fake = await serve();
  const index = open(fake.url);
  await fake.close();
  await expect(count(index, 'granite')).rejects.toMatchObject({
    code: 'index_unavailable',
    message: expect.stringContaining('QDRANT_URL'),
  });
});

test('a collection that has the alias’s name says to choose another', async () => {
  const fake = await serve();
  await open(fake.url, { alias: 'other' }).state('local');
  const taken = fake.collections.get('other-1');
  if (taken) fake.collections.set('passages', taken);
  await expect(count(open(fake.url), 'granite')).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('ALFRED_QDRANT_COLLECTION'),
  });
});

test('an alias that stands for somebody else’s collection stays theirs', async () => {
  const fake = await serve();
  await open(fake.url).state('local');
  const { config } = fake.collections.get('passages-1') ?? {};
  delete config?.metadata;
  await expect(count(open(fake.url), 'granite')).rejects.toMatchObject({ code: 'internal' });
  expect([...fake.aliases]).toEqual([['passages', 'passages-1']]);
});

test.each([1, 2, 3, 4])('when write %d fails, the next query makes up for it', async (nth) => {
  let writes = 0;
  const before = (operation: string) => {
    if (['upsert_points', 'delete_points'].includes(operation) && ++writes === nth)
      throw new QdrantRefusal(500, 'disk full');
  };
  const fake = await serve({ before });
  for (let i = 0; i < 150; i++) await put(`stone-${i}.txt`, `Granite${i} lasts.`);
  await expect(count(open(fake.url), 'lasts')).rejects.toMatchObject({ code: 'index_unavailable' });
  const index = open(fake.url);
  expect(await count(index, 'granite149')).toBe(1);
  expect((await index.state('local')).passages).toBe(150);
});

test('a snapshot that was put back is brought up to date', async () => {
  const fake = await serve();
  await put('a.txt', 'Granite of old.');
  const index = open(fake.url);
  expect(await count(index, 'granite')).toBe(1);
  const collection = fake.collections.get('passages-1');
  const snapshot = collection?.points.copy();
  await put('a.txt', 'Basalt of old.');
  await put('b.txt', 'Granite of new.');
  expect(await count(index, 'granite')).toBe(1);
  if (collection && snapshot) collection.points = snapshot;
  expect(await count(index, 'basalt')).toBe(1);
  expect(await count(index, 'granite')).toBe(1);
  expect((await index.state('local')).passages).toBe(2);
});

test('other settings are built behind the alias, and a process of before does not build them back', async () => {
  const fake = await serve();
  await put('a.txt', 'Granite lasts.');
  const old = open(fake.url);
  expect(await count(old, 'granite')).toBe(1);
  const renewed = open(fake.url, { settings: { ...plain, quantization: 'scalar' } });
  expect(await count(renewed, 'granite')).toBe(1);
  await untilPasses('the old collection is removed', async () =>
    expect([...fake.collections.keys()]).toEqual(['passages-2']),
  );
  expect([...fake.aliases]).toEqual([['passages', 'passages-2']]);
  await put('b.txt', 'Granite breaks.');
  for (const index of [old, renewed, old]) expect(await count(index, 'granite')).toBe(2);
  const { operations } = fake;
  expect(operations.filter((operation) => operation === 'create_collection')).toHaveLength(2);
  expect(operations.filter((operation) => operation === 'update_aliases')).toHaveLength(2);
});

test('a build that was cut short is gone on with, not begun again', async () => {
  let isCut = true;
  const before = (operation: string, body: unknown) => {
    if (isCut && operation === 'upsert_points' && JSON.stringify(body).includes('"dense"'))
      throw new QdrantRefusal(503, 'shutting down');
  };
  const fake = await serve({ before });
  await put('a.txt', 'The hound barks.');
  const index = open(fake.url, { model: async () => toyModel.name });
  expect(await count(index, 'barks')).toBe(1);
  await embedAll(env.postgres.db, toyModel);
  expect(await count(index, 'barks')).toBe(1);
  await untilPasses('the new collection is there', async () => expect(fake.collections.has('passages-2')).toBe(true));
  isCut = false;
  const next = open(fake.url, { model: async () => toyModel.name });
  const byMeaning = async () =>
    (await next.find(local, everyone, { text: '', vector: toyVector(toyModel, 'dog') }, 5)).dense;
  await untilPasses('the vectors are found', async () => expect(await byMeaning()).toHaveLength(1));
  await untilPasses('the old collection is removed', async () =>
    expect([...fake.collections.keys()]).toEqual(['passages-2']),
  );
});

const everybody = 'all tenants';
let files = 0;
const newFile = () => join(env.config.ALFRED_DATA_DIR, `qdrant-${++files}.index`);

test('a rebuild is one change of the alias, to a collection that was filled before', async () => {
  const fake = await serve();
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  expect(await count(index, 'granite')).toBe(1);
  fake.operations.length = 0;
  await index.operations.rebuild(everybody);
  const changes = fake.operations.filter((one) =>
    ['upsert_points', 'update_aliases', 'delete_collection'].includes(one),
  );
  expect(changes.slice(-2)).toEqual(['update_aliases', 'delete_collection']);
  expect(changes.slice(0, -2).every((one) => one === 'upsert_points')).toBe(true);
  expect([...fake.collections.keys()]).toEqual([expect.stringMatching(/^passages-2-x[0-9a-f]{8}$/)]);
  expect([...fake.aliases.values()]).toEqual([...fake.collections.keys()]);
  expect(await count(index, 'granite')).toBe(1);
});

test('a rebuild that fails half-way leaves what served, and nothing else', async () => {
  let isFull = false;
  const before = (operation: string) => {
    if (isFull && operation === 'upsert_points') throw new QdrantRefusal(500, 'disk full');
  };
  const fake = await serve({ before });
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  expect(await count(index, 'granite')).toBe(1);
  isFull = true;
  await expect(index.operations.rebuild(everybody)).rejects.toMatchObject({ code: 'index_unavailable' });
  expect([...fake.collections.keys()]).toEqual(['passages-1']);
  expect(await count(index, 'granite')).toBe(1);
});

test('what a process that died had begun goes with the next one, and what another one is at stays', async () => {
  const fake = await serve();
  await put('a.txt', 'Granite lasts.');
  expect(await count(open(fake.url), 'granite')).toBe(1);
  const [served] = [...fake.collections.values()];
  if (!served) throw new Error('nothing serves');
  const [dead, busy] = ['passages-7-xdeadbeef', 'passages-8-x0badcafe'];
  const foreign = ['passages-7-1', 'passages-7-x1', 'other-2-xdeadbeef'];
  for (const name of [dead, busy, ...foreign]) fake.collections.set(name, served);
  await withLease(env.postgres.db, 'qdrant passages x0badcafe', async () => {
    expect(await count(open(fake.url), 'granite')).toBe(1);
    expect([...fake.collections.keys()]).toEqual(['passages-1', busy, ...foreign]);
    await open(fake.url).operations.rebuild(everybody);
    expect(fake.collections.has(busy)).toBe(true);
  });
  expect(await count(open(fake.url), 'granite')).toBe(1);
  expect([...fake.collections.keys()]).toEqual([...foreign, expect.stringMatching(/^passages-9-/)]);
});

test('who loses the lock on the work is told to stop', async () => {
  const { db, pool } = env.postgres;
  const until = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  const work = async (signal: AbortSignal) => {
    await pool.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())`);
    return until(signal);
  };
  await expect(withLease(db, 'some work', work, 10)).rejects.toThrow();
  await withLease(db, 'some work', async (signal) => expect(signal.aborted).toBe(false));
});

test('a model that changes while the index is built anew gets its collection all the same', async () => {
  const fake = await serve();
  await put('a.txt', 'The hound barks.');
  expect(await count(open(fake.url), 'barks')).toBe(1);
  await embedAll(env.postgres.db, toyModel);
  const modern = open(fake.url, { model: async () => toyModel.name });
  await Promise.all([open(fake.url).operations.rebuild(everybody), count(modern, 'barks')]);
  const query = { text: '', vector: toyVector(toyModel, 'dog') };
  await untilPasses('the vectors are found', async () =>
    expect((await modern.find(local, everyone, query, 5)).dense).toHaveLength(1),
  );
  await untilPasses('one collection is left', async () => expect(fake.collections.size).toBe(1));
});

test('a snapshot needs the key like anything else, and neither file nor error holds it', async () => {
  const fake = await serve({ key: 'sesame' });
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url, { key: 'sesame' });
  const file = newFile();
  await index.operations.snapshot(everybody, file);
  expect(await readFile(file, 'utf8')).not.toContain('sesame');
  expect(fake.snapshots.list([...fake.collections.keys()][0] ?? '')).toEqual([]);
  const error = await open(fake.url, { key: 'wrong-one' })
    .operations.restore(everybody, file)
    .then(
      () => undefined,
      (error: Error) => error,
    );
  expect(error).toMatchObject({ code: 'index_unavailable', message: expect.stringContaining('VECTOR_DB_KEY') });
  expect(error?.message).not.toContain('wrong-one');
});

test('a snapshot is Qdrant’s own behind a first line, and a changed or cut one is refused', async () => {
  const fake = await serve();
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  const file = newFile();
  await index.operations.snapshot(everybody, file);
  const whole = await readFile(file, 'utf8');
  const head = JSON.parse(whole.slice(0, whole.indexOf('\n'))) as Record<string, unknown>;
  expect(head).toMatchObject({
    alfred: 'qdrant-snapshot',
    alias: 'passages',
    collection: 'passages-1',
    tenants: ['local'],
  });
  const [changed, cut, older] = [newFile(), newFile(), newFile()];
  await writeFile(changed, whole.replace('"updated":', '"Updated":'));
  await writeFile(cut, whole.slice(0, -10));
  await writeFile(older, whole.replace('"format":1', '"format":0'));
  await expect(index.operations.restore(everybody, changed)).rejects.toThrow('checksum mismatch');
  await expect(index.operations.restore(everybody, cut)).rejects.toThrow(/it has \d+ of \d+ bytes/);
  await expect(index.operations.restore(everybody, older)).rejects.toThrow('another version of Alfred');
  expect([...fake.collections.keys()]).toEqual(['passages-1']);
  expect(await count(index, 'granite')).toBe(1);
});

test('a snapshot of another history is built anew, also of tenants that are no more', async () => {
  const fake = await serve();
  await put('a.txt', 'Granite lasts.');
  await putDocument(env.postgres.db, 'b.txt', 'Granite of theirs.', { tenant: 'other', subject: 'ann' });
  const index = open(fake.url);
  const file = newFile();
  await index.operations.snapshot(everybody, file);
  await env.postgres.pool.query('truncate documents, chunks, document_changes, embeddings restart identity cascade');
  await put('c.txt', 'Basalt lasts.');
  await index.operations.restore(everybody, file);
  expect([await count(index, 'granite'), await count(index, 'basalt')]).toEqual([0, 1]);
  const { points } = [...fake.collections.values()][0] ?? {};
  expect(points?.count({ must: [{ key: 'tenant', match: { value: 'other' } }] })).toBe(0);
});

test('of several nodes no snapshot is taken, and none is put back', async () => {
  const alone = await serve();
  await put('a.txt', 'Granite lasts.');
  const file = newFile();
  await open(alone.url).operations.snapshot(everybody, file);
  const index = open((await serve({ nodes: 3 })).url);
  const refusal = { code: 'invalid_request', message: expect.stringContaining('3 nodes') };
  await expect(index.operations.snapshot(everybody, newFile())).rejects.toMatchObject(refusal);
  await expect(index.operations.restore(everybody, file)).rejects.toMatchObject(refusal);
});

test('a query of a warm index is one request', async () => {
  const fake = await serve();
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  await count(index, 'granite');
  fake.operations.length = 0;
  await count(index, 'granite');
  expect(fake.operations).toEqual(['query_batch_points']);
});
