import { AlfredError, type ErrorCode } from '../../../contract/errors.ts';

export type ProviderFailure = {
  status?: number | undefined;
  type?: string | undefined;
  message: string;
  headers?: Headers | undefined;
};

/**
 * The one place that maps a provider's refusal to what Temporal does about it: 408, 409, 429, 5xx and broken
 * connections are tried again, after Retry-After when the provider names one; everything else is final.
 */
export function providerError(
  provider: string,
  { status, type, message, headers }: ProviderFailure,
  cause?: unknown,
): AlfredError {
  const code = codeOf(status, type, message);
  const said =
    status === undefined ? 'could not be reached or broke off' : `answered ${status}${type ? ` (${type})` : ''}`;
  return new AlfredError(code, `${provider} ${said}. ${advice[code] ?? ''}`.trim(), {
    retryAfterMs: headers && retryAfterMs(headers),
    cause,
  });
}

function codeOf(status: number | undefined, type: string | undefined, message: string): ErrorCode {
  if (type === 'overloaded_error' || type === 'api_error' || type === 'timeout_error') return 'model_unavailable';
  if (status === 429 || type === 'rate_limit_error') return 'model_rate_limited';
  if (status === undefined || status === 408 || status === 409 || status >= 500) return 'model_unavailable';
  if (status === 401 || status === 403) return 'model_auth';
  if (status === 413 || (status === 400 && /too long|context (window|length)|maximum.*tokens/i.test(message)))
    return 'model_context_overflow';
  return 'model_rejected';
}

const advice: Partial<Record<ErrorCode, string>> = {
  model_auth: 'Check the provider’s API key and what it may use.',
  model_rejected: 'Check that ALFRED_MODEL names a model this key may use.',
  model_context_overflow: 'The conversation no longer fits the model; ask with less material.',
};

/** `retry-after-ms`, or `retry-after` in seconds or as a date, in milliseconds; at most an hour. */
function retryAfterMs(headers: Headers): number | undefined {
  const exact = Number(headers.get('retry-after-ms') ?? Number.NaN);
  const after = headers.get('retry-after') ?? '';
  const ms = Number.isFinite(exact)
    ? exact
    : /^\d+(\.\d+)?$/.test(after)
      ? Number(after) * 1_000
      : Date.parse(after) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, 3_600_000) : undefined;
}
