import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { fetchModels } from '../../deploy/local/downloads/fetch-models.ts';
import { rerankModel } from '../../deploy/local/downloads/rerank-models.ts';
import { readSettings } from '../../deploy/local/settings.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { startFakeHub } from '../support/fakes/fake-hub.ts';
import { untilPasses } from '../support/until.ts';
import { dataFolders } from './local-stack.ts';

const folders = dataFolders();
const hubs: { close: () => Promise<void> }[] = [];
afterEach(async () => void (await Promise.all(hubs.splice(0).map((hub) => hub.close()))));
afterAll(() => folders.removeAll());

const rerankers = ['local:ms-marco-minilm-l12', 'local:ms-marco-minilm', 'local:mmarco-minilm'] as const;
const tokenizerPath = '/Xenova/ms-marco-MiniLM-L-6-v2/resolve/a09144355adeed5f58c8ed011d209bf8ee5a1fec/tokenizer.json';

/** What `npm start` does about models, on a machine without any. */
async function fetchOnMachine(files: Record<string, Buffer>, variables: Record<string, string>) {
  const hub = await startFakeHub(files);
  hubs.push(hub);
  const home = await folders.make();
  const environment = { HOME: home, PATH: join(home, 'bin') };
  const config = loadConfig({
    DATABASE_URL: 'postgres://db/alfred',
    ALFRED_EMBEDDINGS: 'none',
    HF_ENDPOINT: hub.endpoint,
    ...variables,
  });
  const lines: string[] = [];
  const log = createLogger(config, 'test', { write: (line) => void lines.push(line) });
  log.level = 'info';
  const found = await fetchModels({ config, dataDir: home, environment }, log);
  return { hub, found, lines, cache: join(home, '.cache', 'alfred') };
}

test('the reranker that RERANK names is asked for at its pinned revision; with another SHA-256 it is not used', async () => {
  // As many bytes as are pinned, and others.
  const files = { [tokenizerPath]: Buffer.alloc(711_396) };
  const { hub, found, lines, cache } = await fetchOnMachine(files, { RERANK: 'local:ms-marco-minilm' });
  expect(found).toEqual({ RERANK_MODEL_DIR: join(cache, 'ms-marco-MiniLM-L-6-v2-int8') });
  await untilPasses('the download has failed', () =>
    expect(lines.join()).toContain('the reranking model is not to be had: searches are not reranked'),
  );
  expect(lines.join()).toMatch(/the model hub: 127\.0\.0\.1:\d+ gave a file with SHA-256 \w+, expected d241a60d/);
  expect(hub.requests.map(({ path }) => path)).toEqual([tokenizerPath]);
  expect(await readdir(cache)).toEqual([]);
});

test.each([
  [{}, 'local:ms-marco-minilm-l12'],
  [{ ALFRED_EMBEDDINGS: 'local:minilm' }, 'local:ms-marco-minilm-l12'],
  [{ RERANK: 'none' }, 'none'],
  [{ RERANK: 'local:mmarco-minilm' }, 'local:mmarco-minilm'],
  [{ RERANK_URL: 'http://localhost:8080/v1/rerank', RERANK_MODEL: 'm' }, undefined],
  [{ ALFRED_EMBEDDINGS: 'none' }, undefined],
  [{ ALFRED_EMBEDDINGS: 'openai:any' }, undefined],
])('with %j `npm start` uses the reranker %s', (variables, expected) => {
  const { config, environment } = readSettings({ HOME: '/nowhere', ...variables });
  expect([config.RERANK, environment.RERANK]).toEqual([expected, expected]);
});

test('nothing is fetched without RERANK, or with a folder of one’s own', async () => {
  for (const variables of [
    {},
    { RERANK: 'none' },
    { RERANK: 'local:ms-marco-minilm', RERANK_MODEL_DIR: '/models/mine' },
  ]) {
    const { hub, found } = await fetchOnMachine({}, variables);
    expect([found, hub.requests]).toEqual([{}, []]);
  }
});

test('each reranker has a folder, pinned files, and a place whose content is pinned', () => {
  const models = rerankers.map((RERANK) => rerankModel({ RERANK }));
  expect(new Set(models.map((model) => model?.name)).size).toBe(3);
  for (const { place, files } of models.flatMap((model) => model?.sources ?? [])) {
    if (place.kind === 'hub') expect(place.revision).toMatch(/^[0-9a-f]{40}$/);
    else
      expect(place).toMatchObject({
        kind: 'wheels',
        wheels: { 'model.onnx': { wheel: { hashes: { 'py3-none-any': expect.stringMatching(/^[0-9a-f]{64}$/) } } } },
      });
    for (const { bytes, sha256 } of Object.values(files)) {
      expect(bytes).toBeGreaterThan(500_000);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  }
});
