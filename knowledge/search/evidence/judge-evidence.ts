import type { Evidence } from '../../../contract/documents.ts';
import type { EvidenceThresholds } from '../../../contract/ports/index.ts';

/** For coverage, the part of the query's words that the best passage holds: the share of their weights, from 0 to 1. */
const coverageThresholds = { strong: 0.5, weak: 0.15 };

export type Verdict = { evidence: Evidence; evidenceReason: string };

/** Judges by the best sentence's cosine with the query. @param passages how many the tenant has */
export function judgeByMeaning(cosine: number, passages: number, thresholds: EvidenceThresholds): Verdict {
  const score = cosine - thresholds.chance * Math.log(Math.max(1, passages));
  const evidence = evidenceOf(score, thresholds);
  const nearest = `The nearest sentence has a similarity of ${cosine.toFixed(2)} among ${countPassages(passages)}`;
  const meaning = {
    strong: 'which usually means that it speaks of what was asked.',
    weak: 'which may be related and does not clearly answer.',
    none: 'which is no nearer than sentences about anything else.',
  }[evidence];
  return { evidence, evidenceReason: `${nearest}, ${meaning}` };
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
