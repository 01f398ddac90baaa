import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { measureIndex } from '../../../knowledge/search/measure-index.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import {
  embedAll,
  createEmbeddedPlace,
  createQdrantPlace,
  qdrantUsed,
  toyModel,
} from '../../support/documents/passage-indexes.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

describe.each([
  ['the embedded index', createEmbeddedPlace],
  [qdrantUsed, createQdrantPlace],
])('%s', (_, createPlace) => {
  test('has no metrics before the first search, and then its size and lag', async () => {
    await putDocument(env.postgres.db, 'a.txt', 'The hound barks.');
    await putDocument(env.postgres.db, 'b.txt', 'The car stops.');
    await embedAll(env.postgres.db, toyModel);
    const place = await createPlace(env);
    const index = place.open(async () => toyModel.name);
    const scrape = async () => {
      const metrics = createMetrics();
      measureIndex({ index, metrics, log: env.log });
      await Promise.all(metrics.beforeScrape.map((refresh) => refresh()));
      return (await metrics.registry.metrics()).split('\n').filter((line) => /^(index_|knowledge_lag)/.test(line));
    };
    const search = () => index.find(local, { principals: ['everyone'] }, { text: 'hound' }, 5);
    try {
      expect(await scrape()).toEqual([]);
      await search();
      const { name } = index;
      expect(await scrape()).toEqual(
        expect.arrayContaining([
          expect.stringMatching(new RegExp(`^index_passages\\{index="${name}"\\} [23]$`)),
          `index_vectors{index="${name}"} 2`,
          'knowledge_lag_seconds{of="index"} 0',
        ]),
      );
      await env.postgres.pool.query(`update document_changes set at = now() - interval '90 s'`);
      await putDocument(env.postgres.db, 'a.txt', 'The hound barks again.');
      const late = (await scrape()).find((line) => line.startsWith('knowledge_lag_seconds{of="index"}'));
      expect(Number(late?.split(' ')[1])).toBeGreaterThan(0);
    } finally {
      await index.close();
      await place.close();
    }
  });
});

test('an index that is away removes its earlier figures', async () => {
  const metrics = createMetrics();
  let isAway = false;
  const size = { passages: 7, vectors: 7, bytes: 7_000, behindSince: undefined };
  const index = { name: 'gone', size: async () => (isAway ? Promise.reject(new Error('away')) : size) };
  measureIndex({ index, metrics, log: env.log, validMs: 0 });
  const bytes = async () => {
    await Promise.all(metrics.beforeScrape.map((refresh) => refresh()));
    return metrics.registry.getSingleMetricAsString('index_size_bytes');
  };
  expect(await bytes()).toContain('7000');
  isAway = true;
  expect(await bytes()).not.toContain('7000');
});
