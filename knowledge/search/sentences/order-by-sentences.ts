import type { FusedCandidate } from '../fusion.ts';
import type { CandidateRating } from './rate-candidates.ts';

/**
 * Orders candidates by their best sentences: a passage that answers in one sentence comes before one that is about the
 * subject as a whole. Those that hold a code of the query come first. Candidates without a rating keep their places.
 */
export function orderBySentences(
  fused: FusedCandidate[],
  ratings: Pick<Map<string, Pick<CandidateRating, 'score'>>, 'get'>,
): FusedCandidate[] {
  const rated = fused
    .flatMap((candidate) => {
      const score = ratings.get(candidate.chunkId)?.score;
      return score === undefined ? [] : [{ candidate, score }];
    })
    .sort((a, b) => b.candidate.codes - a.candidate.codes || b.score - a.score)
    .map(({ candidate, score }, i): FusedCandidate => ({ ...candidate, sentence: { rank: i + 1, score } }));
  let next = 0;
  return fused.map((candidate) => (ratings.get(candidate.chunkId) ? (rated[next++] ?? candidate) : candidate));
}
