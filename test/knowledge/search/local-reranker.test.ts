import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { SearchRequest } from '../../../contract/documents.ts';
import type { Reranker } from '../../../contract/ports/index.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import { createLocalReranker } from '../../../knowledge/search/rerank/local/local-reranker.ts';
import { createModelThread } from '../../../knowledge/search/rerank/local/model-thread.ts';
import { pairTemplateOf, pairTokens } from '../../../knowledge/search/rerank/local/pair-tokens.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { toyCrossEncoder, toyOnnx, toyTokenizer } from '../../support/files/toy-onnx.ts';
import { untilPasses } from '../../support/until.ts';

// By words alone the first text is the best: it contains granite most often.
const stones = ['Granite, granite and granite again.', 'Granite and granite, worth 2.', 'Granite, said once, worth 3.'];
const byModel = [stones[2], stones[1], stones[0]];
/** The tokenizer knows these words only. */
const words = [...new Set(['b', 'granite', ...stones.flatMap((text) => text.split(' '))])];
const worths: Record<string, number> = { 'again.': -5, '2.': 1, '3.': 2 };
/** What each token adds to the logit; the first three are special tokens and `a`. */
const weights = [0, 0, 0, ...words.map((word) => worths[word] ?? 0)];
const toy = { 'model.onnx': toyCrossEncoder(weights), 'tokenizer.json': toyTokenizer(words, { pairs: true }) };

let env: TestEnvironment;
let scratch: string;
let folders = 0;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'alfred-rerank-'));
  env = await createTestEnvironment();
  for (const [i, text] of stones.entries()) await putDocument(env.postgres.db, `${i}.txt`, text);
});
afterEach(async () => void (await Promise.all(opened.splice(0).map((resource) => resource.close()))));
afterAll(async () => {
  await env?.close();
  await rm(scratch, { recursive: true });
});

async function modelFolder(files: Record<string, Buffer | string> = toy) {
  const dir = join(scratch, String(++folders));
  await mkdir(dir);
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  return dir;
}

/** A search with a reranker on this machine, its log lines and its metrics. */
function create(
  dir: string,
  variables: Record<string, string> = {},
  wrap = (reranker: Reranker): Reranker => reranker,
) {
  const lines: string[] = [];
  const log = createLogger(env.config, 'test', { write: (line) => void lines.push(line) });
  log.level = 'info';
  const metrics = createMetrics();
  const config = loadConfig({
    DATABASE_URL: 'postgres://db/alfred',
    RERANK: 'local:ms-marco-minilm',
    RERANK_MODEL_DIR: dir,
    RERANK_TIMEOUT_MS: '60000',
    RERANK_EVIDENCE: '0.5,0.02',
    ...variables,
  });
  const reranker = createLocalReranker(config, log, { recheckMs: 0 });
  if (!reranker) throw new Error('no reranker is configured');
  const { db } = env.postgres;
  const indexDir = join(env.config.ALFRED_DATA_DIR, `local-reranked-${++folders}`);
  const index = createEmbeddedIndex({ db, dir: indexDir, log: env.log, model: async () => '' });
  const embeddings = { embedder: async () => undefined, close: async () => {} };
  const search = createSearch({ db, index, embeddings, reranker: wrap(reranker), log, metrics });
  opened.push(search);
  return {
    search: (more: Partial<SearchRequest> = {}, signal?: AbortSignal) =>
      search.search(local, { query: 'granite', limit: 10, ...more }, signal),
    warnings: () => lines.filter((line) => (JSON.parse(line) as { level: number }).level >= 40),
    outcomes: async () => {
      const { values } = await metrics.searchReranks.get();
      return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
    },
  };
}
const texts = ({ passages }: { passages: { text: string }[] }) => passages.map(({ text }) => text);

describe('a reranker on this machine', () => {
  test('orders the passages, and its best score decides the evidence by RERANK_EVIDENCE, whatever the limit is', async () => {
    const { search, outcomes, warnings } = create(await modelFolder());
    const found = await search();
    expect(texts(found)).toEqual(byModel);
    expect(found.indexVersion).toMatch(/^embedded-\d+\/rerank12:ms-marco-MiniLM-L-6-v2-int8$/);
    expect(found.passages.map(({ score, match }) => [Number(score.toFixed(4)), match])).toEqual([
      [0.8808, 'close'],
      [0.7311, 'close'],
      [0.0067, 'loose'],
    ]);
    for (const limit of [1, 2, 10])
      expect(await search({ limit })).toMatchObject({
        evidence: 'strong',
        answerable: true,
        evidenceReason: expect.stringContaining('The reranker gives the best passage a score of 0.88'),
      });
    expect([await outcomes(), warnings()]).toEqual([{ done: 4 }, []]);
  });

  test('judges by other thresholds where RERANK_EVIDENCE names them', async () => {
    const dir = await modelFolder();
    expect(await create(dir, { RERANK_EVIDENCE: '0.9,0.8' }).search()).toMatchObject({ evidence: 'weak' });
    const found = await create(dir, { RERANK_EVIDENCE: '0.99,0.95' }).search();
    expect(found).toMatchObject({ evidence: 'none', answerable: false });
    expect(found.passages).toHaveLength(3);
  });

  test('that is still downloading is missed once in the log, counted, and used when it is there', async () => {
    const dir = await modelFolder({});
    const { search, outcomes, warnings } = create(dir);
    for (let i = 0; i < 3; i++) expect(texts(await search())).toEqual(stones);
    expect(await outcomes()).toEqual({ missing: 3 });
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toContain('the reranking model is missing');
    for (const [name, content] of Object.entries(toy)) await writeFile(join(dir, name), content);
    expect(texts(await search())).toEqual(byModel);
  });

  test.each([
    ['is no model', { ...toy, 'model.onnx': 'no model' }, 'cannot be used'],
    ['gives vectors', { ...toy, 'model.onnx': toyOnnx(weights.map((one) => [one, one])) }, 'numbers for a passage'],
    ['has a tokenizer for one text', { ...toy, 'tokenizer.json': toyTokenizer(words) }, 'does not take two texts'],
  ])('that %s costs searches a log line a minute, and no error', async (_, files, reason) => {
    const { search, outcomes, warnings } = create(await modelFolder(files));
    for (let i = 0; i < 3; i++) expect(texts(await search())).toEqual(stones);
    expect(await outcomes()).toEqual({ model_unavailable: 1, resting: 2 });
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toContain(reason);
    expect(warnings()[0]).toContain('"pauseMs":60000');
  });

  test('that is too slow is given up, and the next search does not wait for it', async () => {
    const { search, outcomes, warnings } = create(await modelFolder(), { RERANK_TIMEOUT_MS: '1' });
    expect(texts(await search())).toEqual(stones);
    expect(texts(await search())).toEqual(stones);
    expect(await outcomes()).toEqual({ late: 1, resting: 1 });
    expect(warnings()[0]).toContain('"timeoutMs":1');
  });

  test('is left out of a search while four others have it, which is counted and not logged', async () => {
    const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
    let holding = 0;
    const { search, outcomes, warnings } = create(await modelFolder(), {}, (reranker) => ({
      ...reranker,
      scores: async (...args) => {
        holding++;
        await isReleased;
        return reranker.scores(...args);
      },
    }));
    const four = Array.from({ length: 4 }, () => search());
    await untilPasses('four searches have the reranker', () => expect(holding).toBe(4));
    expect(texts(await search())).toEqual(stones);
    release();
    for (const found of await Promise.all(four)) expect(texts(found)).toEqual(byModel);
    expect(texts(await search())).toEqual(byModel);
    expect([await outcomes(), warnings()]).toEqual([{ busy: 1, done: 5 }, []]);
  });

  test('goes on after a search that was cancelled while it was being scored', async () => {
    let during = () => {};
    const { search, outcomes, warnings } = create(await modelFolder(), {}, (reranker) => ({
      ...reranker,
      scores: (...args) => {
        const scores = reranker.scores(...args);
        during();
        return scores;
      },
    }));
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      during = () => controller.abort(new Error('cancelled by the task'));
      await expect(search({}, controller.signal)).rejects.toThrow('cancelled by the task');
    }
    during = () => {};
    expect(texts(await search())).toEqual(byModel);
    expect([await outcomes(), warnings()]).toEqual([{ done: 1 }, []]);
  });
});

describe('a model’s thread', () => {
  test('finishes what it has started, does not start what was aborted before its turn, and closes after its job', async () => {
    const shared = new SharedArrayBuffer(12);
    const state = new Int32Array(shared);
    const file = new URL('./model-thread-job.ts', import.meta.url);
    const thread = createModelThread<{ shared: SharedArrayBuffer }, number>({ file, task: 'work', idleMs: 60_000 });
    const [first, second] = [new AbortController(), new AbortController()];
    const running = thread.run({ shared }, first.signal);
    const waiting = thread.run({ shared }, second.signal);
    await untilPasses('the first job runs', () => expect(Atomics.load(state, 0)).toBe(1));
    first.abort(new Error('first given up'));
    second.abort(new Error('second given up'));
    await expect(running).rejects.toThrow('first given up');
    await expect(waiting).rejects.toThrow('second given up');
    const closed = thread.close();
    Atomics.store(state, 1, 1);
    Atomics.notify(state, 1);
    await closed;
    expect([...state]).toEqual([1, 1, 1]);
    await expect(thread.run({ shared }, new AbortController().signal)).rejects.toMatchObject({ code: 'draining' });
  });
});

describe('the tokens of a query with a passage', () => {
  const upTo = (count: number, from = 100) => Array.from({ length: count }, (_, i) => from + i);
  // As XLM-RoBERTa encodes a pair: <s> A </s></s> B </s>, all of one type.
  const template = pairTemplateOf({ ids: [0, 7, 8, 2, 2, 9, 2], token_type_ids: Array(7).fill(0) }, [7, 8], [9]);
  if (!template) throw new Error('no template');

  test('have the special tokens of the tokenizer’s template', () => {
    const { ids, types } = pairTokens(template, { query: [11, 12], passage: [21], maxTokens: 512 });
    expect(ids).toEqual([0, 11, 12, 2, 2, 21, 2]);
    expect(types).toEqual([0, 0, 0, 0, 0, 0, 0]);
    const bert = pairTemplateOf({ ids: [101, 7, 102, 7, 102], token_type_ids: [0, 0, 0, 1, 1] }, [7], [7]);
    expect(bert && pairTokens(bert, { query: [11, 12], passage: [21], maxTokens: 512 })).toEqual({
      ids: [101, 11, 12, 102, 21, 102],
      types: [0, 0, 0, 0, 1, 1],
    });
  });

  test('fit the window: the passage is cut and the query kept whole, unless it leaves the passage less than a quarter', () => {
    const long = pairTokens(template, { query: upTo(6), passage: upTo(90, 500), maxTokens: 24 });
    expect(long.ids).toEqual([0, ...upTo(6), 2, 2, ...upTo(14, 500), 2]);
    const pasted = pairTokens(template, { query: upTo(90), passage: upTo(90, 500), maxTokens: 24 });
    expect(pasted.ids).toEqual([0, ...upTo(15), 2, 2, ...upTo(5, 500), 2]);
    const short = pairTokens(template, { query: upTo(90), passage: [500], maxTokens: 24 });
    expect(short.ids).toEqual([0, ...upTo(19), 2, 2, 500, 2]);
    expect(pairTokens(template, { query: [], passage: [], maxTokens: 24 }).ids).toEqual([0, 2, 2, 2]);
  });

  test('cannot be made by a tokenizer that loses a text or puts nothing between them', () => {
    expect(pairTemplateOf({ ids: [], token_type_ids: [] }, [7], [9])).toBeUndefined();
    expect(pairTemplateOf({ ids: [0, 7, 9, 2], token_type_ids: [0, 0, 0, 0] }, [7], [9])).toBeUndefined();
  });
});
