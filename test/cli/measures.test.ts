import { expect, test } from '@jest/globals';
import { bootstrap, percentile, qualityOf } from '../../cli/eval/measures.ts';

const grades = (entries: Record<string, number>) => new Map(Object.entries(entries));

test('nDCG@10 is what trec_eval computes: gains by grade, discounted by the logarithm of the rank', () => {
  // (3/log2(2) + 1/log2(4)) / (3/log2(2) + 2/log2(3) + 1/log2(4))
  const { ndcg10 } = qualityOf(['a', 'x', 'c'], grades({ a: 3, b: 2, c: 1 }));
  expect(ndcg10).toBeCloseTo(3.5 / (3 + 2 / Math.log2(3) + 0.5), 10);
  expect(qualityOf(['a', 'b', 'c'], grades({ a: 3, b: 2, c: 1 })).ndcg10).toBe(1);
});

test('recall counts the first hundred, the reciprocal rank is of the first relevant document', () => {
  const ranked = [...Array.from({ length: 99 }, (_, i) => `x${i}`), 'a', 'b'];
  expect(qualityOf(ranked, grades({ a: 1, b: 1 }))).toEqual({ ndcg10: 0, recall100: 0.5, mrr: 1 / 100 });
  expect(qualityOf([], grades({ a: 1 }))).toEqual({ ndcg10: 0, recall100: 0, mrr: 0 });
});

test('an interval contains the mean, is reproducible, and is a point when all values are equal', () => {
  const values = Array.from({ length: 50 }, (_, i) => (i % 7) / 7);
  const interval = bootstrap(values);
  expect(interval.low).toBeLessThan(interval.mean);
  expect(interval.high).toBeGreaterThan(interval.mean);
  expect(bootstrap(values)).toEqual(interval);
  expect(bootstrap([0.5, 0.5, 0.5])).toEqual({ mean: 0.5, low: 0.5, high: 0.5 });
});

test('percentiles', () => {
  const values = Array.from({ length: 100 }, (_, i) => i + 1);
  expect([percentile(values, 0.5), percentile(values, 0.95), percentile([7], 0.95)]).toEqual([51, 96, 7]);
});
