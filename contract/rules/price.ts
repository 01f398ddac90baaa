import type { Usage } from '../references.ts';

/** US dollars per million tokens, by kind. */
export type Price = { input: number; cacheRead: number; cacheWrite: number; output: number };

/** What tokens cost at a price, in US dollars. */
export const costOf = (
  price: Price,
  { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: Omit<Usage, 'costUsd'>,
): number =>
  (inputTokens * price.input +
    cacheReadTokens * price.cacheRead +
    cacheWriteTokens * price.cacheWrite +
    outputTokens * price.output) /
  1_000_000;
