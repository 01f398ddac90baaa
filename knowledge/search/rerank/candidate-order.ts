import type { Rank } from '../../../contract/documents.ts';
import type { FusedCandidate } from '../fusion.ts';
import type { ReadPassage } from '../read-passages.ts';

/** A candidate with its place in every list, in the order in which it is shown. */
export type OrderedCandidate = Omit<FusedCandidate, 'score'> & { fused: Rank; rerank: Rank | null };

/** As the lists were fused. */
export const fusedOrder = (fused: FusedCandidate[]): OrderedCandidate[] =>
  fused.map(({ score, ...candidate }, i) => ({ ...candidate, fused: { rank: i + 1, score }, rerank: null }));

/**
 * Those that were judged first, best first; equals stay as they were, and so do the others, behind them.
 *
 * @param scores by the ids of the chunks that were judged
 */
export function rerankedOrder(fused: FusedCandidate[], scores: Map<string, number>): OrderedCandidate[] {
  const all = fusedOrder(fused);
  const judged = all
    .flatMap((candidate) => {
      const score = scores.get(candidate.chunkId);
      return score === undefined ? [] : [{ candidate, score }];
    })
    .sort((a, b) => b.score - a.score);
  return [
    ...judged.map(({ candidate, score }, i) => ({ ...candidate, rerank: { rank: i + 1, score } })),
    ...all.filter(({ chunkId }) => !scores.has(chunkId)),
  ];
}

/** What a reranker reads of a passage, the same as an embedding model: the headings above it, and the text. */
export const rerankText = ({ headingPath, text }: Pick<ReadPassage, 'headingPath' | 'text'>) =>
  [...headingPath, text].join('\n');
