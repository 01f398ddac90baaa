import type { Schemas } from '@qdrant/js-client-rest';
import { AlfredError } from '../../../contract/errors.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Config } from '../../../runtime/config.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { PassageFilter, PassageIndex, PassageQuery, Hit } from '../passage-index.ts';
import { oldestUnappliedChange, countChangesAfter } from '../change-log.ts';
import { createShared } from '../shared.ts';
import { queryTerms } from '../../../contract/rules/terms.ts';
import { createCatchUp } from './catch-up.ts';
import {
  denseVector,
  format,
  lexicalVector,
  acceptsVector,
  type Collection,
  type CollectionSettings,
} from './collection.ts';
import { createCollections } from './collections.ts';
import { createEncoders } from './encoders.ts';
import { filterOf, ofTenant } from './filter.ts';
import { createOperations } from './operations.ts';
import { positionPointId, numbersOf, parsePosition, type Position } from './points.ts';
import { createServer, CollectionNotFound } from './server.ts';
import { createServingCollection } from './serving-collection.ts';

type QdrantSettings = { url: string; key: string | undefined; alias: string; settings: CollectionSettings };
type Deps = QdrantSettings & {
  db: Database;
  log: Logger;
  /** Name of the model whose vectors are taken; `''` for none. */
  model: () => Promise<string>;
};

/** Looks at the same again when a collection is replaced, or a server is behind: more often would be no accident. */
const maxAttempts = 5;

/** A Qdrant server: a point a passage, all tenants in one collection. Follows Postgres as the embedded index does. */
export function createQdrantIndex({ db, log, model, url, key, alias, settings }: Deps): PassageIndex {
  const server = createServer({ url, key });
  const encoders = createEncoders(server, log);
  const collections = createCollections({ server, db, alias, log });
  const catchUp = createCatchUp({ server, db, log, encoder: encoders.chosen });
  const serving = createServingCollection({ db, log, collections, catchUp, model, settings });
  const shared = new Map<string, () => Promise<void>>();
  const reached = new Map<string, Position>();

  /** What a tenant's collection has at the least, after every change made before the call. */
  const caught = async (of: { collection: Collection; tenant: string }): Promise<Position> => {
    const id = JSON.stringify([of.collection.name, of.tenant]);
    const run =
      shared.get(id) ?? createShared(async () => void reached.set(id, await catchUp.caughtUp(of, serving.signal)));
    shared.set(id, run);
    await run();
    return reached.get(id) as Position;
  };

  const withServing = async <T>(
    tenant: string,
    work: (collection: Collection, least: Position) => Promise<T | undefined>,
  ): Promise<T> => {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      try {
        const collection = await serving.collection(tenant);
        const done = await work(collection, await caught({ collection, tenant }));
        if (done !== undefined) return done;
        catchUp.forget({ collection, tenant });
      } catch (error) {
        if (!(error instanceof CollectionNotFound)) throw error;
        serving.forget();
      }
    }
    throw new AlfredError(
      'index_unavailable',
      `The collection behind the alias ${alias} keeps changing or is not there: see that no other installation uses the same ALFRED_QDRANT_COLLECTION, and that all nodes of Qdrant are up.`,
    );
  };

  const searchesOf = async (collection: Collection, tenant: string, filter: PassageFilter, query: PassageQuery) => {
    const terms = queryTerms(query.text);
    const encoder = terms.length > 0 ? await encoders.chosen(collection.name) : undefined;
    const vector = acceptsVector(collection, query.vector) && collection.kind.model === (await model()) && query.vector;
    const common = { filter: filterOf(tenant, filter), with_payload: ['chunk_id'] };
    return {
      lexical: encoder && {
        ...{ ...common, query: encoder.query(terms), using: lexicalVector },
        // Servers from 1.19 on count words among the tenant's own passages; older ones among all, and ignore this.
        params: { idf: { corpus: ofTenant(tenant) } },
      },
      dense: vector && {
        ...{ ...common, query: numbersOf(vector), using: denseVector },
        ...(settings.quantization === 'none' ? {} : { params: { quantization: { rescore: true, oversampling: 3 } } }),
      },
    } satisfies Record<string, Schemas['QueryRequest'] | undefined | false>;
  };

  const operations = createOperations({
    ...{ server, db, log, alias, collections, catchUp, serving },
    withServing: (tenant, work) => withServing(tenant, async (collection) => work(collection)),
  });

  return {
    operations,
    name: `qdrant-${format}`,
    find: ({ tenant }: Scope, filter, query, depth) =>
      withServing(tenant, async (collection, least) => {
        const asked = await searchesOf(collection, tenant, filter, query);
        // The position comes with the answer, so that it is that of what was searched.
        const mark = { filter: { must: [{ has_id: [positionPointId(tenant)] }] }, limit: 1, with_payload: true };
        const some = [asked.lexical, asked.dense].flatMap((search) => (search ? [{ ...search, limit: depth }] : []));
        const answers = await server.ask((client) => client.queryBatch(collection.name, { searches: [mark, ...some] }));
        const { source, applied } = parsePosition(answers[0]?.points[0]);
        if (source !== least.source || applied < least.applied) return undefined;
        return {
          lexical: asked.lexical ? rankedOf(answers[1]) : [],
          dense: asked.dense ? rankedOf(answers.at(-1)) : [],
        };
      }),
    state: (tenant) =>
      withServing(tenant, async ({ name }, { applied }) => {
        const count = async (...also: Schemas['Condition'][]) => {
          const filter = { must: [...[ofTenant(tenant).must ?? []].flat(), ...also] };
          return (await server.ask((client) => client.count(name, { exact: true, filter }))).count;
        };
        const behind = await countChangesAfter(db, tenant, applied);
        return { passages: await count(), vectors: await count({ has_vector: denseVector }), behind, bytes: null };
      }),
    async size() {
      const collection = await collections.serving();
      if (!collection) return undefined;
      // Estimates, which take no look at every point.
      const count = async (filter?: Schemas['Filter']) =>
        (await server.ask((client) => client.count(collection.name, { exact: false, ...(filter ? { filter } : {}) })))
          .count;
      return {
        passages: await count(),
        vectors: collection.kind.model === '' ? 0 : await count({ must: [{ has_vector: denseVector }] }),
        bytes: null,
        behindSince: await oldestUnappliedChange(db, catchUp.seenIn(collection)),
      };
    },
    close: () => serving.close(),
  };
}

const rankedOf = (answer: Schemas['QueryResponse'] | undefined): Hit[] =>
  (answer?.points ?? []).map(({ payload, score }) => ({ chunkId: String(payload?.chunk_id), score }));

/** What the configuration says about Qdrant. */
export const qdrantSettings = (config: Config, url: string): QdrantSettings => ({
  url,
  key: config.VECTOR_DB_KEY,
  alias: config.ALFRED_QDRANT_COLLECTION,
  settings: {
    shards: config.ALFRED_QDRANT_SHARDS,
    replicas: config.ALFRED_QDRANT_REPLICAS,
    onDisk: config.ALFRED_QDRANT_ON_DISK,
    quantization: config.ALFRED_QDRANT_QUANTIZATION,
  },
});
