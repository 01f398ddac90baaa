import type { Evidence, RankedPassage } from '../../../contract/documents.ts';
import type { RerankThresholds } from '../../../contract/ports/index.ts';
import type { ScoredPassage } from '../best-passages.ts';
import { evidenceOf, type Verdict } from './judge-evidence.ts';

type Judged = Verdict & { passages: RankedPassage[] };

/**
 * Replaces the verdict of words and vectors by that of a reranker whose scores are calibrated: it has read the question
 * and each passage together. A passage that it has not read keeps its `match`.
 *
 * @param judged the best passages, also those that the caller does not get: the verdict must not depend on `limit`
 * @returns `result` when the search was not reranked
 */
export function judgeByReranker(result: Judged, judged: ScoredPassage[], thresholds: RerankThresholds): Judged {
  const scores = judged.flatMap(({ scores }) => scores.rerank?.score ?? []);
  if (scores.length === 0) return result;
  const best = Math.max(...scores);
  const evidence = evidenceOf(best, thresholds);
  return {
    passages: result.passages.map((passage) => {
      const { rerank } = passage.scores;
      if (!rerank) return passage;
      return { ...passage, match: evidenceOf(rerank.score, thresholds) === 'strong' ? 'close' : 'loose' };
    }),
    evidence,
    evidenceReason: `The reranker gives the best passage a score of ${Number(best.toPrecision(2))}, ${meaning[evidence]}`,
  };
}

const meaning: Record<Evidence, string> = {
  strong: 'which usually means that it speaks of what was asked.',
  weak: 'which may be related and does not clearly answer.',
  none: 'which is no more than passages about anything else get.',
};
