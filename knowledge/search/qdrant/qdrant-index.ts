import type { Schemas } from '@qdrant/js-client-rest';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../../contract/errors.ts';
import { coalesce } from '../../../runtime/coalesce.ts';
import type { Config } from '../../../runtime/config.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { countChangesAfter, oldestUnappliedChange, type IndexPosition } from '../change-log.ts';
import { foundCode, type Candidates, type Hit, type PassageIndex, type PassageQuery } from '../passage-index.ts';
import { createCatchUp, keyOf, type TenantPoints } from './catch-up.ts';
import { denseVector, format, type Collection, type CollectionSettings } from './collection.ts';
import { createCollections } from './collections.ts';
import { createLanguages } from './corpus.ts';
import { createEncoderChoice } from './encoder-choice.ts';
import { filterOf, ofTenant } from './filter.ts';
import { createOperations } from './operations.ts';
import { parsePosition, positionPointId } from './points.ts';
import { queryRequests, type QueryRequests } from './query-requests.ts';
import { createServer, CollectionNotFound, type Server } from './server.ts';
import { createServingCollection } from './serving-collection.ts';
import { bestHits, endsInsideTie, extraHits } from './tie-order.ts';

type QdrantSettings = { url: string; key: string | undefined; alias: string; settings: CollectionSettings };
type Deps = QdrantSettings & {
  db: Database;
  log: Logger;
  /** Name of the model whose vectors are indexed; `''` for none. */
  model: () => Promise<string>;
};

/** A collection may be replaced, or a node may lag, during an operation. More repeats in a row mean a wrong setup. */
const maxAttempts = 5;

/**
 * A Qdrant server: one point for each passage, all tenants in one collection. Follows Postgres like the embedded index.
 */
export function createQdrantIndex({ db, log, model, url, key, alias, settings }: Deps): PassageIndex {
  const server = createServer({ url, key });
  const encoder = createEncoderChoice(server, log);
  const collections = createCollections({ server, db, alias, log });
  const catchUp = createCatchUp({ server, db, log, encoder });
  const serving = createServingCollection({ db, log, collections, catchUp, model, settings });
  const requestsOf = (target: Target, query: PassageQuery) =>
    queryRequests({ encoder, model, quantization: settings.quantization }, target, query);

  /** Applies every change made before the call. @returns the position that the tenant's points have reached at least */
  const catchUpTenant = coalesce((target: TenantPoints) => catchUp.run(target, serving.signal), keyOf);

  /**
   * Runs `work` on the serving collection, caught up for the tenant; again when it is gone or `work` gives undefined.
   */
  const withServing = async <T>(
    tenant: string,
    work: (collection: Collection, minimum: IndexPosition) => Promise<T | undefined>,
  ): Promise<T> => {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      try {
        const collection = await serving.current(tenant);
        const result = await work(collection, await catchUpTenant({ collection, tenant }));
        if (result !== undefined) return result;
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

  const passageCounts = new LRUCache<string, number>({ max: 10_000, ttl: 60_000 });
  /** About how many passages match. Qdrant estimates it without reading every point; it is kept for a minute. */
  const countPassages = async (collection: string, filter: Schemas['Filter']): Promise<number> => {
    const key = JSON.stringify(filter);
    const known = passageCounts.get(key);
    if (known !== undefined) return known;
    const passages = await countPoints(server, collection, { exact: false, filter });
    passageCounts.set(key, passages);
    return passages;
  };

  const readLanguages = createLanguages(db);
  const operations = createOperations({
    server,
    db,
    log,
    alias,
    collections,
    catchUp,
    serving,
    withServing: (tenant, work) => withServing(tenant, async (collection) => work(collection)),
  });

  return {
    operations,
    name: `qdrant-${format}`,
    find: ({ tenant }, filter, query, depth) =>
      withServing(tenant, async (collection, minimum) => {
        const languages = await readLanguages(tenant, minimum);
        const requests = await requestsOf({ collection, tenant, filter, languages }, query);
        const found = await search(server, { collection, tenant, minimum }, requests, depth);
        if (!found) return undefined;
        const passages = await countPassages(collection.name, ofTenant(tenant));
        const { length } = found.dense;
        const searched = length < depth ? length : await countPassages(collection.name, filterOf(tenant, filter));
        // Qdrant can tell neither how many passages hold a word nor which words there are.
        return { ...found, searched, corpus: { passages, languages, holders: undefined }, corrections: [] };
      }),
    state: (tenant) =>
      withServing(tenant, async ({ name }, { applied }) => {
        const count = (...conditions: Schemas['Condition'][]) =>
          countPoints(server, name, {
            exact: true,
            filter: { must: [...[ofTenant(tenant).must ?? []].flat(), ...conditions] },
          });
        const behind = await countChangesAfter(db, tenant, applied);
        return { passages: await count(), vectors: await count({ has_vector: denseVector }), behind, bytes: null };
      }),
    async size() {
      const collection = await collections.serving();
      if (!collection) return undefined;
      const { name, kind } = collection;
      // Estimated counts, for which Qdrant does not read every point.
      const withVector = { exact: false, filter: { must: [{ has_vector: denseVector }] } };
      return {
        passages: await countPoints(server, name, { exact: false }),
        vectors: kind.model === '' ? 0 : await countPoints(server, name, withVector),
        bytes: null,
        behindSince: await oldestUnappliedChange(db, catchUp.knownPositionsIn(collection)),
      };
    },
    close: () => serving.close(),
  };
}

type Target = Parameters<typeof queryRequests>[1];

/** @returns undefined when the tenant's points have not reached `minimum` */
async function search(
  server: Server,
  { collection, tenant, minimum }: TenantPoints & { minimum: IndexPosition },
  { lexical, dense, codes }: QueryRequests,
  limit: number,
): Promise<Pick<Candidates, 'lexical' | 'dense' | 'codes'> | undefined> {
  // The position is read in the same request, so that it is the position of the points that were searched.
  const position = { filter: { must: [{ has_id: [positionPointId(tenant)] }] }, limit: 1, with_payload: true };
  let found: Pick<Candidates, 'lexical' | 'dense' | 'codes'> = { lexical: [], dense: [], codes: [] };
  for (const extra of extraHits) {
    const requested = limit + extra;
    const queries = [lexical, dense].flatMap((request) => (request ? [{ ...request, limit: requested }] : []));
    const searches = [...codes.map(({ request }) => request), position, ...queries];
    const answers = await server.call((client) => client.queryBatch(collection.name, { searches }));
    const responses = answers.slice(codes.length);
    const { source, applied } = parsePosition(responses[0]?.points[0]);
    if (source !== minimum.source || applied < minimum.applied) return undefined;
    found = {
      lexical: lexical ? hitsOf(responses[1]) : [],
      dense: dense ? hitsOf(responses.at(-1)) : [],
      codes: codes.flatMap(({ word }, i) => foundCode(word, hitsOf(answers[i]))),
    };
    const lists = [found.lexical, found.dense];
    if (!lists.some((hits) => endsInsideTie(hits, { limit, requested }))) break;
  }
  return { ...found, lexical: bestHits(found.lexical, limit), dense: bestHits(found.dense, limit) };
}

const hitsOf = (response: Schemas['QueryResponse'] | undefined): Hit[] =>
  (response?.points ?? []).map(({ payload, score }) => ({ chunkId: String(payload?.chunk_id), score }));

async function countPoints(server: Server, collection: string, request: Schemas['CountRequest']): Promise<number> {
  const { count } = await server.call((client) => client.count(collection, request));
  return count;
}

/** The configuration variables of Qdrant. */
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
