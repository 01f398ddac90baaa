import { totalTokens, type BudgetLimits } from '../../contract/references.ts';
import type { TaskProgress } from './progress.ts';

/** The first limit that leaves no room for another model call, in words, or undefined. */
export function exceededLimit(
  budget: BudgetLimits,
  { usage, modelCalls }: Pick<TaskProgress, 'usage' | 'modelCalls'>,
): string | undefined {
  if (budget.maxModelCalls !== undefined && modelCalls >= budget.maxModelCalls)
    return `The budget of ${budget.maxModelCalls} model calls is used up.`;
  if (budget.maxTokens !== undefined && totalTokens(usage) >= budget.maxTokens)
    return `The budget of ${budget.maxTokens} tokens is used up.`;
  if (budget.maxCostUsd !== undefined && usage.costUsd > 0 && usage.costUsd >= budget.maxCostUsd)
    return `The budget of $${budget.maxCostUsd} is used up.`;
  return undefined;
}
