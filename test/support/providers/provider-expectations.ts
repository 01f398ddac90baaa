import type { ErrorCode } from '../../../contract/errors.ts';

/** The part of a request that a provider caches, in its order, without the cache breakpoints themselves. */
export function cacheablePrompt(body: string): string {
  const unmarked = (key: string, value: unknown) => (key === 'cache_control' ? undefined : value);
  const { tools, system, messages } = JSON.parse(body, unmarked) as Record<string, unknown>;
  return JSON.stringify([tools ?? null, system ?? null, messages]);
}

/** The error code for an HTTP status, when the provider sends nothing more specific. */
export const codesByStatus: [number, ErrorCode][] = [
  [400, 'model_rejected'],
  [401, 'model_auth'],
  [408, 'model_unavailable'],
  [409, 'model_unavailable'],
  [413, 'model_context_overflow'],
  [422, 'model_rejected'],
  [429, 'model_rate_limited'],
  [500, 'model_unavailable'],
  [502, 'model_unavailable'],
  [503, 'model_unavailable'],
  [504, 'model_unavailable'],
  [529, 'model_unavailable'],
];

/** Response headers, and the wait in milliseconds that Alfred reads from them: at most an hour. */
export const retryWaits: [Record<string, string>, number | undefined][] = [
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after-ms': '250' }, 250],
  [{ 'retry-after-ms': '1234.5', 'retry-after': '9' }, 1_234.5],
  [{ 'retry-after': '86400' }, 3_600_000],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
];
