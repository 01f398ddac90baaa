import { expect, test } from '@jest/globals';
import { localEncoder, weightedTerms } from '../../../knowledge/search/qdrant/bm25.ts';
import { QdrantRefusal } from '../../support/fakes/fake-qdrant-filter.ts';
import { embedAll, toyModel, toyVector } from '../../support/documents/passage-indexes.ts';
import { local } from '../../support/documents/put-document.ts';
import { untilPasses } from '../../support/until.ts';
import { countHits, defaultSettings, everyone, useFakeQdrant } from './use-fake-qdrant.ts';

const { open, postgres, put, startServer } = useFakeQdrant();

test('a collection is created by its settings, with an index for each field that queries filter by', async () => {
  const fake = await startServer();
  await put('a.txt', 'The hound barks.');
  await embedAll(postgres().db, toyModel);
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

test('a server that makes no BM25 vectors gets them from Alfred, and ranks the same', async () => {
  await put('a.txt', 'Parental leave is sixteen weeks.\n\nAnnual leave is four weeks.\n\nLeave your coat here.');
  const query = { text: 'weeks of parental leave' };
  const [with_, without] = await Promise.all([startServer(), startServer({ inference: false })]);
  const byServer = (await open(with_.url).find(local, everyone, query, 10)).lexical;
  const byUs = (await open(without.url).find(local, everyone, query, 10)).lexical;
  expect(byUs).toHaveLength(3);
  expect(byUs.map(({ chunkId }) => chunkId)).toEqual(byServer.map(({ chunkId }) => chunkId));
  for (const [i, { score }] of byUs.entries()) expect(score).toBeCloseTo(byServer[i]?.score ?? 0, 5);
});

test('Alfred’s BM25 vectors equal those of Qdrant’s engine', () => {
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

test('words of the title and the headings count twice', () => {
  expect(weightedTerms({ title: 'Travel', headings: 'Trains', body: 'By rail.' }, 'en')).toEqual([
    'travel',
    'travel',
    'train',
    'train',
    'by',
    'rail',
  ]);
});

test('equal scores are ordered by id, also at the end of a list and after a rebuild', async () => {
  const [one, other] = [await startServer(), await startServer()];
  for (let i = 0; i < 80; i++) await put(`stone-${i}.txt`, 'Granite lasts.');
  const index = open(one.url);
  const listed = async (depth: number) =>
    (await index.find(local, everyone, { text: 'granite' }, depth)).lexical.map(({ chunkId }) => chunkId);
  const all = await listed(100);
  expect(all).toEqual(all.toSorted());
  expect(all).toHaveLength(80);
  const asked = () => one.operations.filter((name) => name === 'query_batch_points').length;
  const before = asked();
  expect(await listed(5)).toEqual(all.slice(0, 5));
  expect(asked() - before).toBe(2);
  await index.operations.rebuild(index.operations.parts([local.tenant])[0] ?? '');
  expect(await listed(5)).toEqual(all.slice(0, 5));
  const { lexical } = await open(other.url).find(local, everyone, { text: 'granite' }, 5);
  expect(lexical.map(({ chunkId }) => chunkId)).toEqual(all.slice(0, 5));
});

test('the key is sent with every request, and the error about a wrong key names its variable', async () => {
  const fake = await startServer({ key: 'sesame' });
  await put('a.txt', 'Granite.');
  expect(await countHits(open(fake.url, { key: 'sesame' }), 'granite')).toBe(1);
  for (const key of ['wrong', undefined])
    await expect(countHits(open(fake.url, { key }), 'granite')).rejects.toMatchObject({
      code: 'index_unavailable',
      message: expect.stringContaining('VECTOR_DB_KEY'),
    });
});

test('the error about a server that is away names what to check', async () => {
  const fake = await startServer();
  const index = open(fake.url);
  await fake.close();
  await expect(countHits(index, 'granite')).rejects.toMatchObject({
    code: 'index_unavailable',
    message: expect.stringContaining('QDRANT_URL'),
  });
});

test('the error about a collection with the name of the alias asks for another name', async () => {
  const fake = await startServer();
  await open(fake.url, { alias: 'other' }).state('local');
  const taken = fake.collections.get('other-1');
  if (taken) fake.collections.set('passages', taken);
  await expect(countHits(open(fake.url), 'granite')).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('ALFRED_QDRANT_COLLECTION'),
  });
});

test('an alias of a collection that Alfred did not make is left alone', async () => {
  const fake = await startServer();
  await open(fake.url).state('local');
  const { config } = fake.collections.get('passages-1') ?? {};
  delete config?.metadata;
  await expect(countHits(open(fake.url), 'granite')).rejects.toMatchObject({ code: 'internal' });
  expect([...fake.aliases]).toEqual([['passages', 'passages-1']]);
});

test.each([1, 2, 3, 4])('when write %d fails, the next query repeats it', async (nth) => {
  let writes = 0;
  const before = (operation: string) => {
    if (['upsert_points', 'delete_points'].includes(operation) && ++writes === nth)
      throw new QdrantRefusal(500, 'disk full');
  };
  const fake = await startServer({ before });
  for (let i = 0; i < 150; i++) await put(`stone-${i}.txt`, `Granite${i} lasts.`);
  await expect(countHits(open(fake.url), 'lasts')).rejects.toMatchObject({ code: 'index_unavailable' });
  const index = open(fake.url);
  expect(await countHits(index, 'granite149')).toBe(1);
  expect((await index.state('local')).passages).toBe(150);
});

test('a restored snapshot is brought up to date', async () => {
  const fake = await startServer();
  await put('a.txt', 'Granite of old.');
  const index = open(fake.url);
  expect(await countHits(index, 'granite')).toBe(1);
  const collection = fake.collections.get('passages-1');
  const snapshot = collection?.points.copy();
  await put('a.txt', 'Basalt of old.');
  await put('b.txt', 'Granite of new.');
  expect(await countHits(index, 'granite')).toBe(1);
  if (collection && snapshot) collection.points = snapshot;
  expect(await countHits(index, 'basalt')).toBe(1);
  expect(await countHits(index, 'granite')).toBe(1);
  expect((await index.state('local')).passages).toBe(2);
});

test('changed settings get a new collection behind the alias, and a process with the old settings does not change it back', async () => {
  const fake = await startServer();
  await put('a.txt', 'Granite lasts.');
  const old = open(fake.url);
  expect(await countHits(old, 'granite')).toBe(1);
  const renewed = open(fake.url, { settings: { ...defaultSettings, quantization: 'scalar' } });
  expect(await countHits(renewed, 'granite')).toBe(1);
  await untilPasses('the old collection is removed', async () =>
    expect([...fake.collections.keys()]).toEqual(['passages-2']),
  );
  expect([...fake.aliases]).toEqual([['passages', 'passages-2']]);
  await put('b.txt', 'Granite breaks.');
  for (const index of [old, renewed, old]) expect(await countHits(index, 'granite')).toBe(2);
  const { operations } = fake;
  expect(operations.filter((operation) => operation === 'create_collection')).toHaveLength(2);
  expect(operations.filter((operation) => operation === 'update_aliases')).toHaveLength(2);
});

test('an interrupted build is continued, not started again', async () => {
  let isCut = true;
  const before = (operation: string, body: unknown) => {
    if (isCut && operation === 'upsert_points' && JSON.stringify(body).includes('"dense"'))
      throw new QdrantRefusal(503, 'shutting down');
  };
  const fake = await startServer({ before });
  await put('a.txt', 'The hound barks.');
  const index = open(fake.url, { model: async () => toyModel.name });
  expect(await countHits(index, 'barks')).toBe(1);
  await embedAll(postgres().db, toyModel);
  expect(await countHits(index, 'barks')).toBe(1);
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

test('a query of an index that is up to date is one request', async () => {
  const fake = await startServer();
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  await countHits(index, 'granite');
  fake.operations.length = 0;
  await countHits(index, 'granite');
  expect(fake.operations).toEqual(['query_batch_points']);
});
