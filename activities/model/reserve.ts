import { AlfredError } from '../../contract/errors.ts';
import { costOf } from '../../contract/rules/price.ts';
import type { ReachedLimit, Usage } from '../../contract/references.ts';

import type { ModelFacts, ModelProvider, ModelRequest, PaidCall } from '../../contract/ports/index.ts';

/** An answer is not begun with less room than this, in tokens. */
const leastOutputTokens = 1_024;

/** Providers call their count an estimate that may be off by a little. */
const countMargin = 1.05;

/** Input that no tokenizer exceeds, output to its limit, both at their dearest. */
export function worstCaseOf({ price }: ModelFacts, inputTokens: number, outputTokens: number): Usage {
  const dearest = { ...price, input: Math.max(price.input, price.cacheRead, price.cacheWrite) };
  const usage = { inputTokens, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens };
  return { ...usage, costUsd: costOf(dearest, usage) };
}

type Reserve = {
  facts: ModelFacts;
  provider: ModelProvider;
  request: ModelRequest;
  /** Input tokens at the most. */
  boundTokens: number;
  begin: (worstCase: Usage) => Promise<PaidCall | undefined>;
};

/**
 * Begins a call with its worst case charged. When that does not fit, the input is counted exactly, where the provider
 * does that for nothing, and the answer is given less room, as long as there is enough for one.
 *
 * @returns what was paid before, or the output limit that was charged and the budget that made it so low
 * @throws AlfredError `budget_exceeded` when it does not fit even so; nothing is charged then
 */
export async function reserve(
  { facts, provider, request, boundTokens, begin }: Reserve,
  signal: AbortSignal,
): Promise<{ paid: PaidCall } | { paid: undefined; maxOutputTokens: number; cutBy: ReachedLimit | undefined }> {
  let [input, output] = [boundTokens, request.maxOutputTokens];
  let hasCounted = provider.countTokens === undefined;
  let cutBy: ReachedLimit | undefined;
  while (true) {
    try {
      const paid = await begin(worstCaseOf(facts, input, output));
      return paid ? { paid } : { paid, maxOutputTokens: output, cutBy };
    } catch (error) {
      const stop = error instanceof AlfredError && error.details?.reason === 'budget' ? error.details : undefined;
      if (!stop || stop.limit === 'maxModelCalls') throw error;
      if (!hasCounted) {
        hasCounted = true;
        const exact = await provider.countTokens?.(request, signal).catch(() => undefined);
        const counted = exact === undefined ? input : Math.ceil(exact * countMargin) + 64;
        if (counted < input) {
          input = counted;
          continue;
        }
      }
      const less = affordable(facts, input, stop);
      if (less >= output || less < Math.min(leastOutputTokens, request.maxOutputTokens)) throw error;
      [output, cutBy] = [less, stop];
    }
  }
}

/** Output tokens that what is left would pay for. */
function affordable(facts: ModelFacts, inputTokens: number, { limit, max, charged }: ReachedLimit): number {
  const left = max - charged;
  if (limit === 'maxTokens') return Math.floor(left - inputTokens);
  const { output } = facts.price;
  if (output === 0) return 0;
  return Math.floor(((left - worstCaseOf(facts, inputTokens, 0).costUsd) * 1_000_000) / output);
}
