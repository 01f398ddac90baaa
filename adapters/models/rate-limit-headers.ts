import type { ProviderLimits } from '../../contract/ports/index.ts';

/** Header names of each limit, in order of preference. */
type HeaderNames = Record<keyof ProviderLimits, readonly string[]>;

/**
 * Anthropic limits input and output tokens separately. The input limit is preferred: conversations are mostly input.
 */
export const anthropicRateLimitHeaders: HeaderNames = {
  requestsPerMinute: ['anthropic-ratelimit-requests-limit'],
  requestsLeft: ['anthropic-ratelimit-requests-remaining'],
  tokensPerMinute: ['anthropic-ratelimit-input-tokens-limit', 'anthropic-ratelimit-tokens-limit'],
  tokensLeft: ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-tokens-remaining'],
};

export const openAiRateLimitHeaders: HeaderNames = {
  requestsPerMinute: ['x-ratelimit-limit-requests'],
  requestsLeft: ['x-ratelimit-remaining-requests'],
  tokensPerMinute: ['x-ratelimit-limit-tokens'],
  tokensLeft: ['x-ratelimit-remaining-tokens'],
};

/** Reads the rate limits from response headers. @returns undefined when the headers contain none */
export function parseRateLimits(headers: Headers, names: HeaderNames): ProviderLimits | undefined {
  const limits = Object.entries(names).flatMap(([field, candidates]) => {
    const value = candidates.map((name) => headers.get(name)).find((header) => header !== null);
    return value !== undefined && /^\d+$/.test(value) ? [[field, Number(value)] as const] : [];
  });
  return limits.length > 0 ? Object.fromEntries(limits) : undefined;
}
