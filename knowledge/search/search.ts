import type { SearchRequest, SearchResult } from '../../contract/documents.ts';
import type { Scope } from '../../contract/references.ts';
import { questionIn } from '../../contract/rules/question.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Embedder, Embeddings, Reranker, SearchIndex } from '../../contract/ports/index.ts';
import { principalsOf } from '../store/readable.ts';
import { fuse, fusionName, defaultFusion, type FusedCandidate, type Fusion } from './fusion.ts';
import type { PassageFilter, PassageIndex } from './passage-index.ts';
import { createQueryEmbedder } from './query-embedder.ts';
import { judgeByReranker } from './evidence/judge-by-reranker.ts';
import { judgeCodes } from './evidence/judge-codes.ts';
import { judgedPassages, judgePassages } from './evidence/evidence.ts';
import { weighWords, type WordWeights } from './evidence/word-weights.ts';
import { readBestPassages } from './read-best-passages.ts';
import { fusedOrder } from './rerank/candidate-order.ts';
import { createGuardedReranker } from './rerank/guarded-reranker.ts';
import { orderCandidates, type CandidateOrder, type Ranking } from './rerank/order-candidates.ts';
import type { SentenceGains } from './rerank/read-sentences.ts';
import { readsQuery } from './rerank/readable-languages.ts';
import { orderBySentences } from './sentences/order-by-sentences.ts';
import {
  ratedCandidates,
  rateCandidates,
  type CandidateRating,
  type SentenceQuery,
} from './sentences/rate-candidates.ts';
import { createTimeStage } from './time-stage.ts';

/** After this many rounds in which the index names passages that are gone, the search returns those that remain. */
const maxRounds = 5;
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
 * Hybrid search of the question in a query: by words and by meaning, fused, reranked when there is a reranker, then
 * read from Postgres, which checks the permissions again. Without an embedding model it searches by words only; the
 * result's `mode` says so.
 */
export function createSearch(deps: Deps): SearchIndex {
  const { db, index, embeddings, log, metrics, fusion = defaultFusion } = deps;
  const reranker = deps.reranker && createGuardedReranker({ reranker: deps.reranker, log, metrics });
  const timeStage = createTimeStage(metrics);
  const embedQuery = createQueryEmbedder({ embeddings, log, metrics, timeStage });
  /** Compares the query with the sentences of the best candidates, when its model gives vectors of sentences. */
  const rate = (scope: Scope, query: SentenceQuery | undefined, fused: FusedCandidate[]) => {
    const ids = fused.slice(0, ratedCandidates).map(({ chunkId }) => chunkId);
    return query
      ? timeStage('sentences', () => rateCandidates(db, scope, query, ids))
      : Promise.resolve(new Map<string, CandidateRating>());
  };

  /** @returns undefined when a candidate is gone or not readable any more, unless `acceptsStale` */
  const order = async (ranking: Ranking, signal: AbortSignal | undefined): Promise<CandidateOrder | undefined> => {
    const { fused, query } = ranking;
    const isWanted = reranker && fused.length > 0 && readsQuery(reranker.languages, query);
    if (!isWanted || !(await reranker.canBeCalled())) return { candidates: fusedOrder(fused) };
    return timeStage('rerank', () => orderCandidates({ db, reranker }, ranking, signal));
  };

  /** @param embedder whose vectors were used; undefined when the search used words only */
  const searchReport = (
    embedder: Embedder | undefined,
    { isRated, isReranked, gains }: { isRated: boolean; isReranked: boolean; gains: SentenceGains | undefined },
  ): Pick<SearchResult, 'mode' | 'indexVersion'> => {
    const version = [index.name];
    if (embedder) version.push(embedder.model, fusionName(fusion));
    if (isRated) version.push(`sentences${ratedCandidates}`);
    const read = gains ? `x${reranker?.sentences}` : '';
    if (isReranked && reranker) version.push(`rerank${reranker.candidates}${read}:${reranker.model}`);
    return { mode: embedder ? 'hybrid' : 'lexical', indexVersion: version.join('/') };
  };

  const run = async (scope: Scope, request: SearchRequest, signal?: AbortSignal): Promise<SearchResult> => {
    const { limit } = request;
    const query = questionIn(request.query);
    const embedded = await embedQuery(query, signal);
    const passageQuery = { text: query, vector: embedded?.vector };
    let round = 1;
    while (true) {
      const acceptsStale = round === maxRounds;
      const filter = filterOf(request, await principalsOf(db, scope));
      const candidates = await timeStage('candidates', () => index.find(scope, filter, passageQuery, depth));
      const isDense = candidates.dense.length > 0;
      const words = weighWords(query, candidates.corpus, candidates.corrections);
      const sentenceQuery = isDense ? sentenceQueryOf(embedded, words) : undefined;
      const fused = fuse(candidates, fusion);
      const ratings = await rate(scope, sentenceQuery, fused);
      const byRating = orderBySentences(fused, ratings);
      const sentences = sentenceQuery && ratings.size > 0 ? { query: sentenceQuery, ratings } : undefined;
      const ranked = await order({ scope, query, fused: byRating, sentences, acceptsStale }, signal);
      const ordered = ranked?.candidates;
      const read = (count: number) =>
        timeStage('read', async () => ordered && readBestPassages(db, { scope, ordered, limit: count, acceptsStale }));
      const judged = await read(judgedPassages);
      const shown = limit <= judgedPassages ? judged?.slice(0, limit) : await read(limit);
      if (ranked && ordered && judged && shown) {
        const { gains } = ranked;
        const isReranked = ordered.some(({ rerank }) => rerank !== null);
        const { passages } = candidates.corpus;
        const embedder = isDense ? embedded?.embedder : undefined;
        const { searched } = candidates;
        const byLists = judgePassages({ judged, shown, words, ratings, passages, searched, embedder, gains });
        // They are thresholds of whole passages.
        const thresholds = gains ? undefined : reranker?.evidence;
        const verdict = thresholds ? judgeByReranker(byLists, judged, thresholds) : byLists;
        const result = judgeCodes(verdict, candidates.codes);
        return {
          ...result,
          ...(query !== request.query && { question: query }),
          ...(candidates.corrections.length > 0 && { corrections: candidates.corrections }),
          answerable: result.evidence === 'strong',
          ...searchReport(embedder, { isRated: ratings.size > 0, isReranked, gains }),
        };
      }
      // A document changed between the index query and the read, and its passages are gone: search again.
      round++;
    }
  };

  return {
    async search(scope, request, signal) {
      const startedAt = performance.now();
      const result = await run(scope, request, signal);
      metrics?.searchDuration.observe((performance.now() - startedAt) / 1_000);
      return result;
    },
    async close() {
      await Promise.all([index.close(), embeddings.close(), deps.reranker?.close?.()]);
    },
  };
}

function sentenceQueryOf(
  embedded: { embedder: Embedder; vector: Float32Array } | undefined,
  words: WordWeights,
): SentenceQuery | undefined {
  const thresholds = embedded?.embedder.evidence;
  return embedded && thresholds && { model: embedded.embedder.model, vector: embedded.vector, words, thresholds };
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
