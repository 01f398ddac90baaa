import { LRUCache } from 'lru-cache';
import type { RankedPassage, SearchRequest, SearchResult } from '../../../contract/documents.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Embedder, Embeddings, SearchIndex } from '../../ports.ts';
import { principalsOf } from '../postgres/readable.ts';
import { BestPassages } from './best-passages.ts';
import { fuse, nameOf, defaultFusion, type Fused, type Fusion } from './fusion.ts';
import type { Candidates, PassageFilter, PassageIndex } from './passage-index.ts';
import { relevanceOf } from './relevance.ts';
import { readPassages } from './read-passages.ts';

/** An index that keeps naming what is not there to read is believed no more: the rest is shown. */
const maxLooks = 5;
/** Length of each list that is fused. */
const depth = 100;

type Deps = {
  db: Database;
  index: PassageIndex;
  embeddings: Embeddings;
  log: Logger;
  metrics?: Pick<Metrics, 'searchDuration' | 'searchStages' | 'searchCache'> | undefined;
  fusion?: Fusion;
};

/**
 * Hybrid search: by words and by meaning, fused, then read from Postgres, where the right to read is looked at once more.
 * Without an embedding model it goes by words alone, and says so.
 */
export function createSearch({ db, index, embeddings, log, metrics, fusion = defaultFusion }: Deps): SearchIndex {
  const queries = new LRUCache<string, Float32Array>({ max: 1_000 });
  const timed = async <T>(stage: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const done = await work();
    metrics?.searchStages.observe({ stage }, (performance.now() - begun) / 1_000);
    return done;
  };

  const embed = async (query: string, signal: AbortSignal | undefined) => {
    const embedder = await embeddings.embedder();
    if (!embedder) return undefined;
    const key = `${embedder.model}\n${query}`;
    const known = queries.get(key);
    metrics?.searchCache.inc({ outcome: known ? 'hit' : 'miss' });
    if (known) return { embedder, vector: known };
    try {
      const vector = await timed('embed', () => embedder.embedQuery(query, signal ?? new AbortController().signal));
      queries.set(key, vector);
      return { embedder, vector };
    } catch (error) {
      signal?.throwIfAborted();
      // Half an answer is better than none, and says that it is half.
      log.warn({ err: error, model: embedder.model }, 'a query could not be embedded: it is searched by words alone');
      return undefined;
    }
  };

  const run = async (scope: Scope, request: SearchRequest, signal?: AbortSignal): Promise<SearchResult> => {
    const embedded = await embed(request.query, signal);
    const query = { text: request.query, vector: embedded?.vector };
    for (let looks = 1; ; looks++) {
      const filter = filterOf(request, await principalsOf(db, scope));
      const found = await timed('candidates', () => index.find(scope, filter, query, depth));
      const fused = fuse(found, fusion);
      const passages = await timed('read', () => readBest(scope, fused, request.limit, looks === maxLooks));
      // A document that changed between the two reads took its passages with it: look again.
      if (passages)
        return { ...judged(request.query, passages, embedded?.embedder), ...told(embedded?.embedder, found) };
    }
  };

  /** @returns undefined when a passage is there no more, or no longer for this subject */
  const readBest = async (
    scope: Scope,
    fused: Fused[],
    limit: number,
    isLast: boolean,
  ): Promise<Ranked[] | undefined> => {
    const best = new BestPassages();
    for (let from = 0; from < fused.length && best.size < limit; from += 2 * limit) {
      const some = fused.slice(from, from + 2 * limit);
      const read = await readPassages(
        db,
        scope,
        some.map(({ chunkId }) => chunkId),
      );
      if (!isLast && some.some(({ chunkId }) => !read.has(chunkId))) return undefined;
      for (const [i, { chunkId, lexical, dense, score }] of some.entries()) {
        const passage = read.get(chunkId);
        const scores = { lexical, dense, fused: { rank: from + i + 1, score } };
        if (passage && best.size < limit) best.offer({ ...passage, score, scores });
      }
    }
    return best.passages;
  };

  const told = (embedder: Embedder | undefined, { dense }: Candidates): Pick<SearchResult, 'mode' | 'indexVersion'> =>
    embedder && dense.length > 0
      ? { mode: 'hybrid', indexVersion: [index.name, embedder.model, nameOf(fusion)].join('/') }
      : { mode: 'lexical', indexVersion: index.name };

  return {
    async search(scope, request, signal) {
      const begun = performance.now();
      const result = await run(scope, request, signal);
      metrics?.searchDuration.observe((performance.now() - begun) / 1_000);
      return result;
    },
    close: async () => void (await Promise.all([index.close(), embeddings.close()])),
  };
}

type Ranked = Omit<RankedPassage, 'coverage'>;

function judged(query: string, passages: Ranked[], embedder: Embedder | undefined) {
  const relevances = relevanceOf(
    query,
    passages.map((passage) => ({ ...passage, similarity: passage.scores.dense?.score })),
    embedder?.relevantFrom,
  );
  return {
    passages: passages.map((passage, i) => ({ ...passage, coverage: relevances[i]?.coverage ?? 0 })),
    answerable: relevances.some(({ isRelevant }) => isRelevant),
  };
}

function filterOf({ collections, tags, language, updatedFrom, updatedTo }: SearchRequest, principals: string[]) {
  return {
    principals,
    collections,
    tags,
    language,
    updatedFrom: updatedFrom === undefined ? undefined : Date.parse(updatedFrom),
    updatedTo: updatedTo === undefined ? undefined : Date.parse(updatedTo),
  } satisfies PassageFilter;
}
