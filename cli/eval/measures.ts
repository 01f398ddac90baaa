import { seededRandom } from './seeded-random.ts';

/** Measures of one ranking, each from 0 to 1. */
export type Quality = { ndcg10: number; recall100: number; mrr: number };

/**
 * Computes nDCG@10 with the grades as gains (Järvelin, Kekäläinen 2002, as trec_eval does), Recall@100, and the
 * reciprocal rank of the first relevant document.
 *
 * @param ranked   document ids without duplicates, best first
 * @param relevant grades above 0, by document id
 */
export function qualityOf(ranked: string[], relevant: Map<string, number>): Quality {
  const gain = (grades: number[]) => grades.slice(0, 10).reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
  const idealGain = gain([...relevant.values()].sort((a, b) => b - a));
  const found = ranked.slice(0, 100).filter((id) => relevant.has(id)).length;
  const firstRelevant = ranked.findIndex((id) => relevant.has(id));
  return {
    ndcg10: idealGain > 0 ? gain(ranked.map((id) => relevant.get(id) ?? 0)) / idealGain : 0,
    recall100: relevant.size > 0 ? found / relevant.size : 0,
    mrr: firstRelevant < 0 ? 0 : 1 / (firstRelevant + 1),
  };
}

export type Interval = { mean: number; low: number; high: number };

/** Mean with its 95 % interval, by bootstrap. Seeded: the same values give the same interval. */
export function bootstrap(values: number[], resamples = 2_000): Interval {
  const random = seededRandom(1);
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)] ?? 0;
    return sum / values.length;
  }).sort((a, b) => a - b);
  const at = (share: number) => means[Math.min(means.length - 1, Math.floor(share * means.length))] ?? 0;
  return { mean: meanOf(values), low: at(0.025), high: at(0.975) };
}

/** The 95 % interval of a share by Wilson's score (1927), which also holds for few questions and shares near 0 or 1. */
export function wilson(count: number, total: number): Interval {
  if (total === 0) return { mean: 0, low: 0, high: 1 };
  const z = 1.96;
  const mean = count / total;
  const centre = mean + (z * z) / (2 * total);
  const spread = z * Math.sqrt((mean * (1 - mean)) / total + (z * z) / (4 * total * total));
  const scale = 1 + (z * z) / total;
  return { mean, low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}

export const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / (values.length || 1);

/** @param share 0.95 for the 95th percentile. @returns 0 without values */
export const percentile = (values: number[], share: number) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
};
