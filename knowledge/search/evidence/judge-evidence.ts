import type { Evidence } from '../../../contract/documents.ts';
import type { EvidenceThresholds } from '../../../contract/ports/index.ts';
import { ratedCandidates } from '../sentences/rate-candidates.ts';

/** For coverage, the part of the query's words that the best passage holds: the share of their weights, from 0 to 1. */
const coverageThresholds = { strong: 0.5, weak: 0.15 };

export type Verdict = { evidence: Evidence; evidenceReason: string };

/**
 * How near passages come to a query.
 *
 * @property cosine   of their nearest sentence
 * @property best     of the best one of them: the cosine of its nearest sentence, a share for the query's words that it
 *   holds, and what a reranker adds or takes away
 * @property around   of all candidates of the search: the mean of their nearest sentences
 * @property searched about how many passages the candidates were chosen from
 * @property passages how many the tenant has
 */
export type Nearness = { cosine: number; best: number; around: number; searched: number; passages: number };

/** Judges by the vectors of sentences. */
export function judgeByMeaning(nearness: Nearness, thresholds: EvidenceThresholds): Verdict {
  const { cosine, around } = nearness;
  const isAlone = thresholds.surroundings === undefined;
  const evidence = evidenceOf(
    isAlone ? scoreAlone(nearness, thresholds) : scoreAround(nearness, thresholds),
    thresholds,
  );
  const beside = isAlone ? '' : `, the passages around it have ${around.toFixed(2)} on average,`;
  const count = countPassages(isAlone ? nearness.passages : nearness.searched);
  const nearest = `The nearest sentence has a similarity of ${cosine.toFixed(2)}${beside} among ${count}`;
  const meaning = {
    strong: 'which usually means that it speaks of what was asked.',
    weak: 'which may be related and does not clearly answer.',
    none: 'which is no nearer than sentences about anything else.',
  }[evidence];
  return { evidence, evidenceReason: `${nearest}, ${meaning}` };
}

/** By the nearest sentence. */
const scoreAlone = ({ cosine, passages }: Nearness, { chance }: EvidenceThresholds): number =>
  cosine - chance * Math.log(Math.max(1, passages));

/**
 * By the best passage and those around it. What a collection speaks of stands in many of its passages; a sentence that
 * is near by chance is alone. The candidates are the nearest of all that were searched: the mean of the largest of
 * normally distributed numbers grows about as the root of the logarithm here does. See docs/adr/0051.
 */
function scoreAround({ best, around, searched }: Nearness, { chance, surroundings = 0 }: EvidenceThresholds): number {
  const choice = Math.sqrt(Math.log(Math.max(1, searched / ratedCandidates)));
  return (1 - surroundings) * best + surroundings * around - chance * choice;
}

/** Judges by words alone. @param because why there is no judgement by meaning */
export function judgeByWords(coverage: number, because: string): Verdict {
  const evidence = evidenceOf(coverage, coverageThresholds);
  const share = `${Math.round(coverage * 100)} %`;
  return {
    evidence,
    evidenceReason: `Judged by words alone, because ${because}: the best passage holds ${share} of what the words of the query weigh.`,
  };
}

export const nothingFound: Verdict = { evidence: 'none', evidenceReason: 'The search found no passage.' };

const order: Evidence[] = ['none', 'weak', 'strong'];

/** The stronger of two verdicts; the first when they are equal. */
export const strongerOf = (a: Verdict, b: Verdict): Verdict =>
  order.indexOf(b.evidence) > order.indexOf(a.evidence) ? b : a;

/** The evidence that a score is, by its thresholds. */
export function evidenceOf(score: number, { strong, weak }: Pick<EvidenceThresholds, 'strong' | 'weak'>): Evidence {
  if (score >= strong) return 'strong';
  return score >= weak ? 'weak' : 'none';
}

const countPassages = (passages: number) => (passages === 1 ? '1 passage' : `${passages} passages`);
