import { LRUCache } from 'lru-cache';
import type { RankedPassage, SearchRequest, SearchResult } from '../../contract/documents.ts';
import type { Scope } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Embedder, Embeddings, Reranker, SearchIndex } from '../../contract/ports/index.ts';
import { principalsOf } from '../store/readable.ts';
import { BestPassages } from './best-passages.ts';
import { fuse, fusionName, defaultFusion, type FusedCandidate, type Fusion } from './fusion.ts';
import type { Candidates, PassageFilter, PassageIndex } from './passage-index.ts';
import { relevanceOf } from './relevance.ts';
import { readPassages } from './read-passages.ts';
import { fusedOrder, rerankedOrder, rerankText, type OrderedCandidate } from './rerank/candidate-order.ts';
import { createGuardedReranker } from './rerank/guarded-reranker.ts';

/** An index that keeps naming what is not there to read is believed no more: the rest is shown. */
const maxLooks = 5;
/** Length of each list that is fused. */
const depth = 100;

type Deps = {
  db: Database;
  index: PassageIndex;
  embeddings: Embeddings;
  reranker?: Reranker | undefined;
  log: Logger;
  metrics?: Pick<Metrics, 'searchDuration' | 'searchStages' | 'searchCache' | 'searchReranks'> | undefined;
  fusion?: Fusion;
};

/**
 * Hybrid search: by words and by meaning, fused, reranked where there is a reranker, then read from Postgres, where the
 * right to read is looked at once more. Without an embedding model it goes by words alone, and says so.
 */
export function createSearch(deps: Deps): SearchIndex {
  const { db, index, embeddings, reranker, log, metrics, fusion = defaultFusion } = deps;
  const inTime = reranker && createGuardedReranker({ reranker, log, metrics });
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
      const isLast = looks === maxLooks;
      const ordered = await order(scope, request.query, fuse(found, fusion), isLast, signal);
      const passages = ordered && (await timed('read', () => readBest(scope, ordered, request.limit, isLast)));
      // A document that changed between two reads took its passages with it: look again.
      if (!passages) continue;
      const isReranked = ordered.some(({ rerank }) => rerank !== null);
      return {
        ...judged(request.query, passages, embedded?.embedder),
        ...told(embedded?.embedder, found, isReranked),
      };
    }
  };

  /** @returns undefined when a passage is there no more, or no longer for this subject: only what may be read is judged */
  const order = async (
    scope: Scope,
    query: string,
    fused: FusedCandidate[],
    isLast: boolean,
    signal: AbortSignal | undefined,
  ): Promise<OrderedCandidate[] | undefined> => {
    if (!reranker || !inTime || fused.length === 0 || inTime.rests()) return fusedOrder(fused);
    return timed('rerank', async () => {
      const ids = fused.slice(0, reranker.candidates).map(({ chunkId }) => chunkId);
      const read = await readPassages(db, scope, ids);
      if (!isLast && read.size < ids.length) return undefined;
      const passages = ids.flatMap((id) => read.get(id) ?? []);
      const scores = passages.length > 0 && (await inTime.scores(query, passages.map(rerankText), signal));
      if (!scores) return fusedOrder(fused);
      return rerankedOrder(fused, new Map(passages.map(({ chunkId }, i) => [chunkId, scores[i] ?? -Infinity])));
    });
  };

  /** @returns undefined when a passage is there no more, or no longer for this subject */
  const readBest = async (
    scope: Scope,
    ordered: OrderedCandidate[],
    limit: number,
    isLast: boolean,
  ): Promise<Ranked[] | undefined> => {
    const best = new BestPassages();
    for (let from = 0; from < ordered.length && best.size < limit; from += 2 * limit) {
      const some = ordered.slice(from, from + 2 * limit);
      const read = await readPassages(
        db,
        scope,
        some.map(({ chunkId }) => chunkId),
      );
      if (!isLast && some.some(({ chunkId }) => !read.has(chunkId))) return undefined;
      for (const { chunkId, ...scores } of some) {
        const passage = read.get(chunkId);
        const { score } = scores.rerank ?? scores.fused;
        if (passage && best.size < limit) best.offer({ ...passage, score, scores });
      }
    }
    return best.passages;
  };

  const told = (
    embedder: Embedder | undefined,
    { dense }: Candidates,
    isReranked: boolean,
  ): Pick<SearchResult, 'mode' | 'indexVersion'> => {
    const isHybrid = embedder && dense.length > 0;
    const version = [
      index.name,
      ...(isHybrid ? [embedder.model, fusionName(fusion)] : []),
      ...(isReranked && reranker ? [`rerank${reranker.candidates}:${reranker.model}`] : []),
    ];
    return { mode: isHybrid ? 'hybrid' : 'lexical', indexVersion: version.join('/') };
  };

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
    embedder?.relevanceThreshold,
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
