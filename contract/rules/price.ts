import type { Usage } from '../references.ts';

/** US dollars per million tokens, by kind of token. */
export type Price = { input: number; cacheRead: number; cacheWrite: number; output: number };

/** The cost of a model call's tokens, in US dollars. */
export const costOf = (
  price: Price,
  { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: Omit<Usage, 'costUsd'>,
): number =>
  (inputTokens * price.input +
    cacheReadTokens * price.cacheRead +
    cacheWriteTokens * price.cacheWrite +
    outputTokens * price.output) /
  1_000_000;
