import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { QdrantClient } from '@qdrant/js-client-rest';
import { createVectors } from '../../../knowledge/store/vectors.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import type { PassageIndex } from '../../../knowledge/search/passage-index.ts';
import { createQdrantIndex } from '../../../knowledge/search/qdrant/qdrant-index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { startFakeQdrant } from '../fakes/fake-qdrant.ts';
import type { TestEnvironment } from '../environment/environment.ts';

/** Where one adapter stores its indexes: a folder or a server. */
export type IndexPlace = {
  /** An index, as one process opens it. Several may be open at the same time. */
  open(model?: () => Promise<string>, db?: Database): PassageIndex;
  /** Deletes all data. */
  wipe(): Promise<void>;
  /** Deletes one passage and the vector of another, and adds a passage. Needs one index of one tenant. */
  damage(tenant: string): Promise<void>;
  /** The number of stored indexes, also of those that no process uses. */
  count(): Promise<number>;
  close(): Promise<void>;
};

export const createEmbeddedPlace = async ({ config, postgres, log }: TestEnvironment): Promise<IndexPlace> => {
  const dir = join(config.ALFRED_DATA_DIR, `index-${randomUUID()}`);
  return {
    open: (model = async () => '', db = postgres.db) => createEmbeddedIndex({ db, dir, log, model }),
    wipe: () => rm(dir, { recursive: true }),
    count: async () => (await indexFiles(dir)).length,
    async damage() {
      const [file = ''] = await indexFiles(dir);
      const sqlite = createClient({ url: `file:${join(dir, file)}` });
      await sqlite.batch(
        [
          'delete from passages where id = 1',
          'delete from vectors where passage = 2',
          `insert into passages (chunk_id, document, class, updated) values ('nobody', 1, 1, 0)`,
        ],
        'write',
      );
      sqlite.close();
    },
    close: async () => {},
  };
};

const indexFiles = async (dir: string) =>
  (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.db'));

const realUrl = process.env.QDRANT_URL;
export const qdrantUsed = realUrl
  ? `the Qdrant server at ${new URL(realUrl).host}`
  : 'a fake of Qdrant that is checked against the OpenAPI types of its client (set QDRANT_URL for a real server)';

/** On a real server when QDRANT_URL is set. The tests delete there all that they created. */
export const createQdrantPlace = async ({ postgres, log }: TestEnvironment): Promise<IndexPlace> => {
  const fake = realUrl ? undefined : await startFakeQdrant();
  const url = realUrl ?? fake?.url ?? '';
  const key = process.env.VECTOR_DB_KEY;
  const alias = `alfred-test-${randomUUID()}`;
  const settings = { shards: undefined, replicas: undefined, onDisk: false, quantization: 'none' as const };
  const client = new QdrantClient({ url, checkCompatibility: false, ...(key ? { headers: { 'api-key': key } } : {}) });
  const names = async () =>
    (await client.getCollections()).collections.map(({ name }) => name).filter((name) => name.startsWith(alias));
  const wipe = async () => {
    for (const name of await names()) await client.deleteCollection(name);
  };
  return {
    open: (model = async () => '', db = postgres.db) =>
      createQdrantIndex({ db, log, model, url, key, alias, settings }),
    wipe,
    count: async () => (await names()).length,
    async damage(tenant) {
      const filter = { must: [{ key: 'tenant', match: { value: tenant } }] };
      const { points } = await client.scroll(alias, { filter, limit: 2, with_payload: true });
      const [first, second] = points;
      if (!first || !second) throw new Error('there are no passages to damage');
      await client.delete(alias, { wait: true, filter: { must: [{ has_id: [first.id] }] } });
      const without = { id: second.id, vector: {}, payload: second.payload ?? {} };
      const surplus = { id: randomUUID(), vector: {}, payload: { tenant, chunk_id: 'nobody' } };
      await client.upsert(alias, { wait: true, points: [without, surplus] });
    },
    close: async () => {
      if (realUrl) await wipe();
      await fake?.close();
    },
  };
};

/** Words with the same meaning share an axis. The two models differ in the order and number of their axes. */
const meanings = [
  ['car', 'automobile'],
  ['dog', 'hound'],
  ['money', 'salary'],
  ['sun', 'daylight'],
];
export type ToyModel = { name: string; axes: number[] };
export const toyModel: ToyModel = { name: 'toy-a', axes: [0, 1, 2, 3] };
export const otherModel: ToyModel = { name: 'toy-b', axes: [3, 2, 1, 0, 0] };

/** A vector of length 1 with a component for each meaning in a text. Stands in for an embedding model. */
export function toyVector({ axes }: ToyModel, text: string): Float32Array {
  const words = new Set(text.toLowerCase().match(/\p{L}+/gu));
  const numbers = axes.map((axis) => 0.05 + (meanings[axis]?.some((word) => words.has(word)) ? 1 : 0));
  const length = Math.hypot(...numbers);
  return Float32Array.from(numbers, (number) => number / length);
}

/** Embeds all missing texts, as the embedding activity does. */
export async function embedAll(db: Database, model: ToyModel): Promise<void> {
  const vectors = createVectors(db);
  const missing = await vectors.listMissing(model.name, 1_000);
  await vectors.store(
    model.name,
    missing.map(({ tenant, hash, headings, text }) => ({
      tenant,
      hash,
      vector: toyVector(model, `${headings} ${text}`),
      sentences: undefined,
    })),
  );
  await vectors.publish(model.name, missing);
}
