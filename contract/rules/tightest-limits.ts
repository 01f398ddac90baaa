import type { BudgetLimits } from '../references.ts';

const names = ['maxCostUsd', 'maxTokens', 'maxModelCalls', 'maxDurationS', 'waitS'] as const;

/** The lower of the two values of each limit. */
export function tightestLimits(a: BudgetLimits, b: BudgetLimits): BudgetLimits {
  const limits: BudgetLimits = {};
  for (const name of names) {
    const [first, second] = [a[name], b[name]];
    const least = first === undefined ? second : second === undefined ? first : Math.min(first, second);
    if (least !== undefined) limits[name] = least;
  }
  return limits;
}
