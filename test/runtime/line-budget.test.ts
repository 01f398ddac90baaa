import { expect, test } from '@jest/globals';
import { createLineBudget } from '../../runtime/line-budget.ts';

test('60 lines of a minute are within, and the next minute begins with how many were not', () => {
  let now = 0;
  const lines = createLineBudget(() => now);
  const taken = Array.from({ length: 100 }, () => lines.take());
  expect(taken.filter(({ isWithin }) => isWithin)).toHaveLength(60);
  now = 60_000;
  expect([lines.take(), lines.take()]).toEqual([
    { isWithin: true, leftOut: 40 },
    { isWithin: true, leftOut: 0 },
  ]);
});
