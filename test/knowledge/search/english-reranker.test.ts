import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { embeddingModelDir } from '../../../deploy/local/downloads/embedding-model.ts';
import { rerankModels } from '../../../deploy/local/downloads/rerank-models.ts';
import { createLocalReranker } from '../../../knowledge/search/rerank/local/local-reranker.ts';
import { loadConfig } from '../../../runtime/config.ts';

const RERANK = 'local:ms-marco-minilm-l12';
const dir = await embeddingModelDir(rerankModels[RERANK], {});
/** The real weights, which `npm start` has fetched before on this machine; without them the test is skipped. */
const testWithWeights = existsSync(join(dir, 'model.onnx')) ? test : test.skip;

const reranker = createLocalReranker(
  loadConfig({ DATABASE_URL: 'postgres://db/alfred', RERANK, RERANK_MODEL_DIR: dir }),
  pino({ level: 'silent' }),
);
afterAll(() => reranker?.close?.());

testWithWeights('the English reranker gives an answer more than a passage about the same subject', async () => {
  const passages = [
    'Berlin is well known for its museums.',
    'Berlin has a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.',
    'New York City is famous for the Metropolitan Museum of Art.',
  ];
  const signal = AbortSignal.timeout(60_000);
  const scores = await reranker?.scores('How many people live in Berlin?', passages, signal);
  const [near = 0, answer = 0, far = 1] = scores ?? [];
  expect(answer).toBeGreaterThan(0.99);
  expect(near).toBeLessThan(0.1);
  expect(far).toBeLessThan(0.001);
  // A passage is scored alone: its score does not depend on the others.
  expect(await reranker?.scores('How many people live in Berlin?', passages.slice(0, 1), signal)).toEqual([near]);
});
