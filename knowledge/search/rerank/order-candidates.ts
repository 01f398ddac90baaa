import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { FusedCandidate } from '../fusion.ts';
import { readPassages } from '../read-passages.ts';
import { fusedOrder, rerankedOrder, rerankText, type OrderedCandidate } from './candidate-order.ts';
import type { GuardedReranker } from './guarded-reranker.ts';
import { readsPassage } from './readable-languages.ts';
import { readSentences, type SentenceGains, type SentenceRanking } from './read-sentences.ts';

type Deps = { db: Database; reranker: GuardedReranker };
/** @property sentences of the candidates, with their ratings; undefined when they have none */
export type Ranking = {
  scope: Scope;
  query: string;
  fused: FusedCandidate[];
  sentences: SentenceRanking | undefined;
  acceptsStale: boolean;
};
/** @property gains of the sentences that the reranker has read; undefined when it has read passages, or nothing */
export type CandidateOrder = { candidates: OrderedCandidate[]; gains?: SentenceGains };

/**
 * Orders candidates by the reranker, or as they were fused when it gives no scores. The reranker gets only passages
 * that the caller may read: their nearest sentences when these are rated and it reads sentences, else the whole
 * passages. When one of them is in a language that it does not read, it gets none.
 *
 * @returns undefined when a candidate is gone or not readable any more, unless `acceptsStale`
 * @throws the signal's reason
 */
export async function orderCandidates(
  { db, reranker }: Deps,
  { scope, query, fused, sentences, acceptsStale }: Ranking,
  signal: AbortSignal | undefined,
): Promise<CandidateOrder | undefined> {
  const ids = fused.slice(0, reranker.candidates).map(({ chunkId }) => chunkId);
  const readable = await readPassages(db, scope, ids);
  if (!acceptsStale && readable.size < ids.length) return undefined;
  const passages = ids.flatMap((id) => readable.get(id) ?? []);
  const asTheyAre = { candidates: fusedOrder(fused) };
  if (passages.length === 0 || !passages.every((passage) => readsPassage(reranker.languages, passage)))
    return asTheyAre;
  if (reranker.sentences !== undefined && sentences) {
    const stage = { reranker, sentences: reranker.sentences };
    const read = await readSentences(stage, { text: query, passages, ranking: sentences }, signal);
    return read ? { candidates: rerankedOrder(fused, read.scores), gains: read.gains } : asTheyAre;
  }
  const scores = await reranker.scores(query, passages.map(rerankText), signal);
  if (!scores) return asTheyAre;
  const byChunk = new Map(passages.map(({ chunkId }, i) => [chunkId, scores[i] ?? -Infinity]));
  return { candidates: rerankedOrder(fused, byChunk) };
}
