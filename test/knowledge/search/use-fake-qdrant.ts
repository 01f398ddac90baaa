import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { createQdrantIndex } from '../../../knowledge/search/qdrant/qdrant-index.ts';
import type { PassageIndex } from '../../../knowledge/search/passage-index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { startFakeQdrant } from '../../support/fakes/fake-qdrant.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';

export const everyone = { principals: ['everyone'] };
export const defaultSettings = {
  shards: undefined,
  replicas: undefined,
  onDisk: false,
  quantization: 'none' as const,
};

/** How many passages a query by words finds, up to ten. */
export const countHits = async (index: PassageIndex, text: string) =>
  (await index.find(local, everyone, { text }, 10)).lexical.length;

/** Gives each test of a file an empty Postgres, and fake Qdrant servers with indexes on them, closed afterwards. */
export function useFakeQdrant() {
  let env: TestEnvironment;
  let closing: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    env = await createTestEnvironment();
  });
  const emptyDocuments = () =>
    env.postgres.pool.query('truncate documents, chunks, document_changes, embeddings restart identity cascade');
  afterEach(async () => {
    await Promise.all(closing.map((resource) => resource.close()));
    closing = [];
    await emptyDocuments();
  });
  afterAll(() => env?.close());

  return {
    config: () => env.config,
    postgres: () => env.postgres,
    emptyDocuments,
    startServer: async (options: Parameters<typeof startFakeQdrant>[0] = {}) => {
      const fake = await startFakeQdrant(options);
      closing.push(fake);
      return fake;
    },
    open: (url: string, overrides: Partial<Parameters<typeof createQdrantIndex>[0]> = {}): PassageIndex => {
      const { log, postgres } = env;
      const defaults = { db: postgres.db, log, url, key: undefined, alias: 'passages', settings: defaultSettings };
      const index = createQdrantIndex({ ...defaults, model: async () => '', ...overrides });
      closing.unshift(index);
      return index;
    },
    put: (name: string, text: string, scope = local) => putDocument(env.postgres.db, name, text, { scope }),
  };
}
