import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createWordEmbedder } from '../support/documents/word-embedder.ts';
import { createApiHarness, identifyBySubject, type ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';
import { until } from '../support/until.ts';

let api: ApiHarness;
let workers: RunningWorkers;
beforeAll(async () => {
  api = await createApiHarness({}, { identify: identifyBySubject });
  workers = await startWorkers(api, api, [documentsQueue]);
});
afterAll(async () => {
  await workers?.stop();
  await api?.close();
});

const set = (name: string, settings: object) =>
  api.http.json('PUT', `/v1/collections/${encodeURIComponent(name)}`, settings);
const get = (name: string, headers = {}) => api.http.get(`/v1/collections/${encodeURIComponent(name)}`, headers);
async function add(name: string, text: string, query: string, headers = {}): Promise<AnyJson> {
  const { body } = await api.http.json('POST', `/v1/documents?${query}`, { name, text }, headers);
  return until('the end of an upload', async () => (await api.http.get(`/v1/ingestions/${body.id}`, headers)).body, {
    accept: ({ status }) => status !== 'running',
  });
}
const sentences = (count: number) =>
  Array.from({ length: count }, (_, n) => `Rule ${n} says that apple${n} and pear${n} meet.`).join(' ');
const chunksOf = async (collection: string) =>
  api.postgres.db
    .selectFrom('chunks as c')
    .innerJoin('documents as d', 'd.id', 'c.document_id')
    .select(['c.id', 'c.text', 'c.start_at', 'c.end_at', 'd.text as whole', 'd.version', 'd.updated_at'])
    .where('d.collection', '=', collection)
    .orderBy('c.ordinal')
    .execute();
const newestChange = async () =>
  (await api.postgres.db.selectFrom('document_changes').select('seq').orderBy('seq', 'desc').executeTakeFirst())?.seq;

test('settings apply from the next upload on: the same document is chunked again once, and after that nothing changes', async () => {
  const embedder = createWordEmbedder();
  const embed = async () => {
    const before = embedder.embedded();
    await embedder.store(api.postgres.db, await embedder.missing(api.postgres.db));
    return embedder.embedded() - before;
  };
  await add('rules.md', sentences(60), 'collection=rules');
  const [before] = await chunksOf('rules');
  expect(await embed()).toBeGreaterThan(1);

  expect((await set('rules', { chunkTokens: 100, overlapTokens: 30 })).body).toMatchObject({
    name: 'rules',
    settings: { chunkTokens: 100, overlapTokens: 30 },
    documents: 1,
    outdated: 1,
  });
  expect((await chunksOf('rules'))[0]?.text).toBe(before?.text);
  expect(await add('rules.md', sentences(60), 'collection=rules')).toMatchObject({ counts: { replaced: 1 } });
  const after = await chunksOf('rules');
  expect((await get('rules')).body).toMatchObject({ chunks: after.length, outdated: 0 });
  expect(after.filter(({ start_at }, i) => start_at < (after[i - 1]?.end_at ?? 0)).length).toBeGreaterThan(3);
  for (const { text, whole, start_at, end_at } of after) {
    expect(whole.slice(start_at, end_at)).toBe(text);
    expect(text.length).toBeLessThanOrEqual(450);
  }
  // The text is the same, so the version and `updated_at` stay.
  expect(after[0]).toMatchObject({ version: before?.version, updated_at: before?.updated_at });
  expect(await embed()).toBe(after.length);

  const newest = await newestChange();
  await set('rules', { chunkTokens: 100, overlapTokens: 30 });
  expect(await add('rules.md', sentences(60), 'collection=rules')).toMatchObject({ counts: { unchanged: 1 } });
  expect([await chunksOf('rules'), await newestChange(), await embed()]).toEqual([after, newest, 0]);

  // A passage stands at its place in the document, whether it is one chunk or several.
  const { passages } = (await api.http.post('/v1/search', { query: 'apple12 pear13', collections: ['rules'] })).body;
  for (const { text, start, end } of passages) expect(text).toBe(after[0]?.whole.slice(start, end));

  await set('rules', {});
  await add('rules.md', sentences(60), 'collection=rules');
  expect((await chunksOf('rules')).map(({ id }) => id)[0]).toBe(before?.id);
});

test('collections are listed by name, page by page, with the counts of what the caller may read', async () => {
  await add('mine.md', 'Mine.', 'collection=a%2Fpart&readers=');
  await add('ours.md', 'Ours.', 'collection=a%2Fpart');
  await set('über alles', { chunkTokens: 64, overlapTokens: 31 });
  const list = async (headers = {}) => {
    const all: AnyJson[] = [];
    let cursor = '';
    do {
      const { body } = await api.http.get(
        `/v1/collections?limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
        headers,
      );
      all.push(...body.collections);
      cursor = body.nextCursor ?? '';
    } while (cursor);
    return Object.fromEntries(all.map(({ name, documents }) => [name, documents]));
  };
  expect(await list()).toMatchObject({ 'a/part': 2, 'über alles': 0 });
  expect(await list({ 'x-subject': 'eve' })).toMatchObject({ 'a/part': 1, 'über alles': 0 });
  expect((await get('a/part', { 'x-subject': 'eve' })).body).toMatchObject({ documents: 1, chunks: 1 });
  await add('hidden.md', 'Hidden.', 'collection=hidden&readers=');
  expect((await get('hidden')).status).toBe(200);
  expect((await get('hidden', { 'x-subject': 'eve' })).body.code).toBe('not_found');
  expect(Object.keys(await list({ 'x-subject': 'eve' }))).not.toContain('hidden');
});

test('a document that several uploads add at the same time is added once, with the settings of its collection', async () => {
  await set('busy', { chunkTokens: 64, overlapTokens: 0 });
  const done = await Promise.all(Array.from({ length: 6 }, () => add('same.md', sentences(30), 'collection=busy')));
  expect(done.flatMap(({ counts }) => (counts.added === 1 ? [1] : []))).toHaveLength(1);
  expect((await get('busy')).body).toMatchObject({ documents: 1, outdated: 0 });
});

test.each([
  [{ chunkTokens: 63 }, 'chunkTokens'],
  [{ chunkTokens: 1_001 }, 'chunkTokens'],
  [{ chunkTokens: 100.5 }, 'chunkTokens'],
  [{ overlapTokens: -1 }, 'overlapTokens'],
  [{ chunkTokens: 100, overlapTokens: 50 }, 'overlapTokens'],
  [{ overlapTokens: 175 }, 'overlapTokens'],
  [{ chunkSize: 100 }, ''],
])('the settings %j are refused at %j', async (settings, path) => {
  const { status, body } = await set('refused', settings);
  expect([status, body.issues[0].path]).toEqual([422, path]);
  expect((await get('refused')).status).toBe(404);
});

test.each(['a,b', 'a\u0000b', ' ', 'x'.repeat(101)])('the name %j is refused', async (name) => {
  const { status, body } = await set(name, {});
  expect([status, body.code]).toEqual(name.length > 100 ? [404, 'not_found'] : [422, 'invalid_request']);
});

test.each(['ü'.repeat(100), '%', 'a/b?c#d', '日本'])('the name %j is taken', async (name) => {
  expect((await set(name, {})).body.name).toBe(name);
  expect((await get(name)).body.name).toBe(name);
});
