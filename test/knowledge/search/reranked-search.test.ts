import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import { createHttpReranker } from '../../../knowledge/search/rerank/http-reranker.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import type { Reranker } from '../../../contract/ports/index.ts';
import type { SearchRequest } from '../../../contract/documents.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { createFakeReranker } from '../../support/fakes/fake-reranker.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';

let env: TestEnvironment;
let folder = 0;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  env = await createTestEnvironment();
});
beforeEach(async () => {
  await env.postgres.pool.query('truncate documents, chunks, embeddings, document_changes cascade');
  // By words alone the first text is the best: it contains granite most often.
  for (const [i, text] of stones.entries()) await putDocument(env.postgres.db, `${i}.txt`, text);
});
afterEach(async () => void (await Promise.all(opened.splice(0).map((resource) => resource.close()))));
afterAll(() => env?.close());

const stones = [
  'Granite, granite and granite again.',
  'Granite and granite, of worth 2.',
  'Granite, said once among other words, of worth 3.',
];
const worth = (text: string) => Number(/worth (\d+)/.exec(text)?.[1] ?? 1);
const byWords = [...stones];
const byWorth = stones.toReversed();

const configOf = (variables: Record<string, string>) =>
  loadConfig({ DATABASE_URL: 'postgres://db/alfred', ...variables });

async function fake(limits: Parameters<typeof createFakeReranker>[1] = {}) {
  const server = await createFakeReranker(worth, limits);
  opened.push(server);
  return server;
}

/** A search with the reranker of RERANK_…, its log lines and its metrics. */
function create(variables: Record<string, string>, wrap = (reranker: Reranker): Reranker => reranker) {
  const { db } = env.postgres;
  const lines: string[] = [];
  const log = createLogger(env.config, 'test', { write: (line) => void lines.push(line) });
  log.level = 'debug';
  const metrics = createMetrics();
  const index = createEmbeddedIndex({
    db,
    dir: join(env.config.ALFRED_DATA_DIR, `reranked-${++folder}`),
    log: env.log,
    model: async () => '',
  });
  const reranker = createHttpReranker(configOf(variables));
  if (!reranker) throw new Error('no reranker is configured');
  const embeddings = { embedder: async () => undefined, close: async () => {} };
  const search = createSearch({ db, index, embeddings, reranker: wrap(reranker), log, metrics });
  opened.push(search);
  return {
    search: (more: Partial<SearchRequest> = {}, signal?: AbortSignal) =>
      search.search(local, { query: 'granite', limit: 10, ...more }, signal),
    warned: () => lines.filter((line) => line.includes('was not reranked')),
    lines,
    outcomes: async () => {
      const { values } = await metrics.searchReranks.get();
      return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
    },
    stages: async () => (await metrics.searchStages.get()).values.map(({ labels }) => labels.stage),
  };
}
const texts = ({ passages }: { passages: { text: string }[] }) => passages.map(({ text }) => text);

describe.each(['cohere', 'tei'] as const)('a reranker that speaks %s', (format) => {
  test('orders the passages, and each shows its rank before', async () => {
    const server = await fake({ format });
    const { search, outcomes, stages, warned } = create(server.variables);
    const found = await search();
    expect(texts(found)).toEqual(byWorth);
    expect(found.passages[0]).toMatchObject({
      score: 3,
      scores: { lexical: { rank: 3 }, dense: null, fused: { rank: 3 }, rerank: { rank: 1, score: 3 } },
    });
    expect(found).toMatchObject({ mode: 'lexical', indexVersion: 'embedded-4/rerank32:rerank-test', answerable: true });
    expect(await outcomes()).toEqual({ done: 1 });
    expect(await stages()).toContain('rerank');
    expect(warned()).toEqual([]);
  });

  test('gets no more passages than RERANK_CANDIDATES; the others follow in their order', async () => {
    const server = await fake({ format, maxTexts: 2 });
    const two = create({ ...server.variables, RERANK_CANDIDATES: '2' });
    const found = await two.search();
    expect(texts(found)).toEqual([byWords[1], byWords[0], byWords[2]]);
    expect(found.passages.map(({ scores }) => scores.rerank?.rank ?? null)).toEqual([1, 2, null]);
    expect(server.requestedTexts()).toEqual([[byWords[0], byWords[1]]]);

    const three = create({ ...server.variables, RERANK_CANDIDATES: '3' });
    expect(texts(await three.search())).toEqual(byWords);
    expect(three.warned()[0]).toContain('lower RERANK_CANDIDATES');
  });

  test.each([
    [
      'an index beyond the texts',
      (judged: Judged[]) => judged.map((result, i) => (i === 0 ? { ...result, index: 7 } : result)),
    ],
    [
      'a negative index',
      (judged: Judged[]) => judged.map((result, i) => (i === 0 ? { ...result, index: -1 } : result)),
    ],
    ['one index twice', (judged: Judged[]) => judged.map((result) => ({ ...result, index: 0 }))],
    ['a result too much', (judged: Judged[]) => [...judged, ...judged.slice(0, 1)]],
    ['a result too few', (judged: Judged[]) => judged.slice(1)],
    ['no result', () => []],
    [
      'a score that is no number',
      (judged: Judged[]) => judged.map((result) => ({ ...result, score: 'high' as never })),
    ],
    ['something else', () => ({ status: 200, json: { data: [] } })],
  ])('that answers with %s leaves the order as it is and is logged once', async (_, answer) => {
    const server = await fake({ format });
    server.answerWith(answer);
    const { search, outcomes, warned } = create(server.variables);
    const found = await search();
    expect(texts(found)).toEqual(byWords);
    expect(found.passages.every(({ scores }) => scores.rerank === null)).toBe(true);
    expect(found.indexVersion).toBe('embedded-4');
    expect(await outcomes()).toEqual({ model_output_invalid: 1 });
    expect(warned()).toHaveLength(1);
    server.answerWith();
    expect(texts(await search())).toEqual(byWorth);
  });
});

type Judged = { index: number; score: number };

describe('a reranker that fails', () => {
  test.each([
    [401, 'model_auth', 'RERANK_API_KEY', { RERANK_API_KEY: 'wrong-secret' }],
    [404, 'model_rejected', 'RERANK_MODEL', { RERANK_MODEL: 'unknown' }],
    [422, 'model_rejected', 'RERANK_FORMAT', { RERANK_FORMAT: 'tei' }],
  ])('with %i is logged as %s, with what to set and without its key', async (status, code, hint, wrong) => {
    const server = await fake();
    const { search, outcomes, warned, lines } = create({ ...server.variables, ...wrong });
    expect(texts(await search())).toEqual(byWords);
    expect(await outcomes()).toEqual({ [code]: 1 });
    expect(warned()[0]).toContain(`answered ${status}`);
    expect(warned()[0]).toContain(hint);
    expect(lines.join('')).not.toMatch(/rerank-secret|wrong-secret|Granite/);
  });

  test('a text that the server repeats in its error is not logged', async () => {
    await putDocument(env.postgres.db, 'long.txt', `Granite ${'of many words '.repeat(100)}.`);
    const server = await fake({ maxCharacters: 500 });
    const { search, outcomes, lines } = create(server.variables);
    expect((await search()).passages).toHaveLength(4);
    expect(await outcomes()).toEqual({ model_unavailable: 1 });
    expect(lines.join('')).not.toContain('of many words');
    // Another question may succeed: the reranker is called again.
    await search();
    expect(server.bodies).toHaveLength(2);
  });

  test.each([429, 503])('with %i is not called again before its retry-after', async (status) => {
    const server = await fake();
    server.answerWith(() => ({ status, headers: { 'retry-after': '600' }, json: {} }));
    const { search, outcomes, warned } = create(server.variables);
    for (let i = 0; i < 3; i++) expect(texts(await search())).toEqual(byWords);
    expect(server.bodies).toHaveLength(1);
    expect(warned()).toHaveLength(1);
    expect(warned()[0]).toContain('"pauseMs":600000');
    expect(await outcomes()).toEqual({
      [status === 429 ? 'model_rate_limited' : 'model_unavailable']: 1,
      resting: 2,
    });
  });

  test('is given up after its time-out, and the next search does not wait for it', async () => {
    const server = await fake();
    server.answerWith(() => ({ frames: [], wire: { stallAfter: 0 } }));
    const { search, outcomes, warned } = create({ ...server.variables, RERANK_TIMEOUT_MS: '50' });
    expect(texts(await search())).toEqual(byWords);
    await server.untilAbandoned();
    expect(texts(await search())).toEqual(byWords);
    expect(await outcomes()).toEqual({ late: 1, resting: 1 });
    expect(warned()[0]).toContain('"timeoutMs":50');
  });

  test('because nothing listens at its address costs the search only a log line', async () => {
    const server = await fake();
    await server.close();
    const { search, outcomes, warned } = create(server.variables);
    expect(texts(await search())).toEqual(byWords);
    expect(await outcomes()).toEqual({ model_unavailable: 1 });
    expect(warned()[0]).toContain('cannot be reached');
  });

  test('gets passages at its own address only: a redirect is not followed', async () => {
    const [server, elsewhere] = [await fake(), await fake()];
    server.answerWith(() => ({ status: 307, headers: { location: elsewhere.url }, json: {} }));
    const { search, outcomes } = create(server.variables);
    expect(texts(await search())).toEqual(byWords);
    expect([await outcomes(), elsewhere.bodies]).toEqual([{ model_rejected: 1 }, []]);
  });

  test('by an answer that is no JSON leaves the order as it is', async () => {
    const server = await fake();
    server.answerWith(() => ({ frames: ['<html>'], wire: {} }));
    const { search, outcomes } = create(server.variables);
    expect(texts(await search())).toEqual(byWords);
    expect(await outcomes()).toEqual({ model_unavailable: 1 });
  });
});

test('a search that is cancelled during reranking ends, and so does its request', async () => {
  const server = await fake();
  server.answerWith(() => ({ frames: [], wire: { stallAfter: 0 } }));
  const { search, warned, outcomes } = create({ ...server.variables, RERANK_TIMEOUT_MS: '60000' });
  const controller = new AbortController();
  server.onRequest(() => controller.abort(new Error('cancelled by the task')));
  await expect(search({}, controller.signal)).rejects.toThrow('cancelled by the task');
  await server.untilAbandoned();
  expect([warned(), await outcomes()]).toEqual([[], {}]);
});

test('a document that is deleted during reranking is not shown', async () => {
  const server = await fake();
  const documents = createDocuments(env.postgres.db);
  const { documents: listed } = await documents.list(local, { limit: 10 });
  const best = listed.find(({ name }) => name === '2.txt');
  const { search } = create(server.variables, (reranker) => ({
    ...reranker,
    scores: async (...args) => {
      const scores = await reranker.scores(...args);
      await documents.delete(local, best?.id ?? '');
      return scores;
    },
  }));
  expect(texts(await search())).toEqual([byWords[1], byWords[0]]);
});

test('a passage that the caller may not read is not sent to the reranker', async () => {
  const server = await fake();
  await putDocument(env.postgres.db, 'secret.txt', 'Granite in secret, of worth 9.', {
    scope: { tenant: 'local', subject: 'boss' },
    placement: {
      readers: [],
    },
  });
  const { search } = create(server.variables);
  expect(texts(await search())).toEqual(byWorth);
  expect(server.requestedTexts()).toEqual([byWords]);
});

test('the scores of a server decide the evidence where RERANK_EVIDENCE says what they mean', async () => {
  const server = await fake();
  const evidence = async (thresholds: string, limit: number) => {
    const found = await create({ ...server.variables, RERANK_EVIDENCE: thresholds }).search({ limit });
    return [found.evidence, found.answerable, found.passages.map(({ match }) => match).join()];
  };
  expect(await evidence('3,2', 10)).toEqual(['strong', true, 'close,loose,loose']);
  expect(await evidence('3.5,2', 10)).toEqual(['weak', false, 'loose,loose,loose']);
  expect(await evidence('5,3.5', 1)).toEqual(['none', false, 'loose']);
});

test('searches at the same time are each in the reranker’s order; a search without results does not call it', async () => {
  const server = await fake();
  const { search, outcomes } = create(server.variables);
  const all = await Promise.all(Array.from({ length: 8 }, () => search()));
  for (const found of all) expect(texts(found)).toEqual(byWorth);
  expect(await search({ query: 'xylophone' })).toMatchObject({ passages: [], indexVersion: 'embedded-4' });
  expect([server.bodies.length, await outcomes()]).toEqual([8, { done: 8 }]);
});
