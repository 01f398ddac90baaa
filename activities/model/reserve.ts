import { AlfredError } from '../../contract/errors.ts';
import { costOf } from '../../contract/rules/price.ts';
import type { ReachedLimit, Usage } from '../../contract/references.ts';
import type { ModelFacts, ModelProvider, ModelRequest, PaidCall } from '../../contract/ports/index.ts';

/** No call is made with less room than this for the answer, in tokens. */
const minOutputTokens = 1_024;

/** Providers document their token count as an estimate that may be slightly off. */
const countMargin = 1.05;

/** The highest possible usage: the upper bound of the input, the output limit, both at the highest price. */
export function worstCaseOf({ price }: ModelFacts, inputTokens: number, outputTokens: number): Usage {
  const highest = { ...price, input: Math.max(price.input, price.cacheRead, price.cacheWrite) };
  const usage = { inputTokens, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens };
  return { ...usage, costUsd: costOf(highest, usage) };
}

type Reserve = {
  facts: ModelFacts;
  provider: ModelProvider;
  request: ModelRequest;
  /** Upper bound of the input tokens. */
  upperBoundTokens: number;
  begin: (worstCase: Usage) => Promise<PaidCall | undefined>;
};

/**
 * Begins a call and charges its worst case. If that exceeds a budget, counts the input exactly, if the provider does
 * that for free, and lowers the output limit as long as it leaves enough room for an answer.
 *
 * @returns what was paid before, or the charged output limit and the budget that lowered it
 * @throws AlfredError `budget_exceeded` when it still does not fit; then nothing is charged
 */
export async function reserve(
  { facts, provider, request, upperBoundTokens, begin }: Reserve,
  signal: AbortSignal,
): Promise<{ paid: PaidCall } | { paid: undefined; maxOutputTokens: number; cutBy: ReachedLimit | undefined }> {
  let [input, output] = [upperBoundTokens, request.maxOutputTokens];
  let hasCounted = provider.countTokens === undefined;
  let cutBy: ReachedLimit | undefined;
  while (true) {
    try {
      const paid = await begin(worstCaseOf(facts, input, output));
      return paid ? { paid } : { paid, maxOutputTokens: output, cutBy };
    } catch (error) {
      const reached = error instanceof AlfredError && error.details?.reason === 'budget' ? error.details : undefined;
      if (!reached || reached.limit === 'maxModelCalls') throw error;
      if (!hasCounted) {
        hasCounted = true;
        const exact = await provider.countTokens?.(request, signal).catch(() => undefined);
        const counted = exact === undefined ? input : Math.ceil(exact * countMargin) + 64;
        if (counted < input) {
          input = counted;
          continue;
        }
      }
      const less = affordableTokens(facts, input, reached);
      if (less >= output || less < Math.min(minOutputTokens, request.maxOutputTokens)) throw error;
      [output, cutBy] = [less, reached];
    }
  }
}

/** Output tokens that the rest of the budget pays for. */
function affordableTokens(facts: ModelFacts, inputTokens: number, { limit, max, charged }: ReachedLimit): number {
  const remaining = max - charged;
  if (limit === 'maxTokens') return Math.floor(remaining - inputTokens);
  const { output } = facts.price;
  if (output === 0) return 0;
  return Math.floor(((remaining - worstCaseOf(facts, inputTokens, 0).costUsd) * 1_000_000) / output);
}
