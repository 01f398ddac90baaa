import type { Rank } from '../../../contract/documents.ts';
import type { FusedCandidate } from '../fusion.ts';
import type { ReadPassage } from '../read-passages.ts';

/** A candidate with its rank in every list, in the order in which it is shown. */
export type OrderedCandidate = Omit<FusedCandidate, 'codes' | 'rank' | 'score'> & { fused: Rank; rerank: Rank | null };

/** The order in which candidates come, without a reranker. */
export const fusedOrder = (fused: FusedCandidate[]): OrderedCandidate[] =>
  fused.map(({ codes: _, rank, score, ...candidate }) => ({ ...candidate, fused: { rank, score }, rerank: null }));

/**
 * Orders the candidates that have a reranker score: those that have a code of the query before others, then best first;
 * equal scores keep their fused order. The others keep their places.
 *
 * @param scores of the reranker, by chunk id
 */
export function rerankedOrder(fused: FusedCandidate[], scores: Map<string, number>): OrderedCandidate[] {
  const candidates = fusedOrder(fused);
  const codes = new Map(fused.map((candidate) => [candidate.chunkId, candidate.codes]));
  const codesOf = ({ candidate }: { candidate: OrderedCandidate }) => codes.get(candidate.chunkId) ?? 0;
  const scored = candidates
    .flatMap((candidate) => {
      const score = scores.get(candidate.chunkId);
      return score === undefined ? [] : [{ candidate, score }];
    })
    .sort((a, b) => codesOf(b) - codesOf(a) || b.score - a.score)
    .map(({ candidate, score }, i): OrderedCandidate => ({ ...candidate, rerank: { rank: i + 1, score } }));
  let next = 0;
  return candidates.map((candidate) => (scores.has(candidate.chunkId) ? (scored[next++] ?? candidate) : candidate));
}

/** What a reranker reads of a passage, the same as an embedding model: the headings above it, and the text. */
export const rerankText = ({ headingPath, text }: Pick<ReadPassage, 'headingPath' | 'text'>) =>
  [...headingPath, text].join('\n');
