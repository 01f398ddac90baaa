import type { ProviderLimits } from '../../contract/ports/index.ts';

type Names = Record<keyof ProviderLimits, readonly string[]>;

/** Anthropic limits input and output apart; input is what a conversation is made of. */
export const anthropicLimitHeaders: Names = {
  requestsPerMinute: ['anthropic-ratelimit-requests-limit'],
  requestsLeft: ['anthropic-ratelimit-requests-remaining'],
  tokensPerMinute: ['anthropic-ratelimit-input-tokens-limit', 'anthropic-ratelimit-tokens-limit'],
  tokensLeft: ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-tokens-remaining'],
};

export const openaiLimitHeaders: Names = {
  requestsPerMinute: ['x-ratelimit-limit-requests'],
  requestsLeft: ['x-ratelimit-remaining-requests'],
  tokensPerMinute: ['x-ratelimit-limit-tokens'],
  tokensLeft: ['x-ratelimit-remaining-tokens'],
};

/** What the headers of a response say about limits, or undefined when they say nothing. The first name that is there counts. */
export function limitsIn(headers: Headers, names: Names): ProviderLimits | undefined {
  const said = Object.entries(names).flatMap(([field, candidates]) => {
    const value = candidates.map((name) => headers.get(name)).find((header) => header !== null);
    return value !== undefined && /^\d+$/.test(value) ? [[field, Number(value)] as const] : [];
  });
  return said.length > 0 ? Object.fromEntries(said) : undefined;
}
