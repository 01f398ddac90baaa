import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import { boundedMs, isNumber, retryAfterHeaderMs } from './retry-after.ts';

/** What a provider said when it did not answer; nothing but a message when it could not be reached. */
export type ProviderFailure = {
  status?: number | undefined;
  type?: string | undefined;
  code?: string | undefined;
  message: string;
  headers?: Headers | undefined;
};

/**
 * The one place that maps a provider's refusal to what Temporal does about it: 408, 409, 429, 5xx and broken
 * connections are tried again, after Retry-After when the provider names one; everything else is final.
 */
export function providerError(provider: string, failure: ProviderFailure, cause?: unknown): AlfredError {
  const { status, type, code: reason, headers } = failure;
  const code = codeOf(failure);
  const what = reason ?? type;
  const named = [status, what && status !== undefined ? `(${what})` : what].filter(Boolean).join(' ');
  const said = named ? `answered ${named}` : 'could not be reached or broke off';
  return new AlfredError(code, `${provider} ${said}. ${adviceFor(code, failure)}`.trim(), {
    retryAfterMs: headers && retryAfterMs(headers),
    cause,
  });
}

/** Words of a provider's codes and types that say more than the status. */
const meanings: [RegExp, ErrorCode][] = [
  [/^(context_length_exceeded|exceed_context_size_error|request_too_large)$/, 'model_context_overflow'],
  // No waiting helps here: somebody has to pay or to raise the limit.
  [/^(insufficient_quota|billing_error|billing_hard_limit_reached|.*spend_limit_reached)$/, 'model_auth'],
  [/^(rate_limit_error|rate_limit_exceeded)$/, 'model_rate_limited'],
  [/^(content_filter|content_policy_violation)$/, 'model_refused'],
];

/** Types of errors that end a stream, which has no status any more. */
const inStream: [RegExp, ErrorCode][] = [
  [/^(authentication|permission)/, 'model_auth'],
  [/^(invalid_request|not_found|BadRequest|NotFound)/, 'model_rejected'],
];

/** How servers without a code for it say that a prompt is too long. */
const tooLong =
  /(prompt|input) is too long|context[ _](window|length|size|limit)|token count.* exceeds|too many (input )?tokens/i;

function codeOf({ status, type = '', code = '', message }: ProviderFailure): ErrorCode {
  if (status === 413 || ([undefined, 400, 422].includes(status) && tooLong.test(message)))
    return 'model_context_overflow';
  // OpenAI: more tokens than a minute has, so no minute will do.
  if (status === 429 && /^request too large/i.test(message)) return 'model_context_overflow';
  const meaning = (table: [RegExp, ErrorCode][]) => table.find(([words]) => words.test(code) || words.test(type))?.[1];
  const meant = meaning(meanings);
  if (meant) return meant;
  switch (status) {
    case undefined:
      return meaning(inStream) ?? 'model_unavailable';
    case 401:
    case 402:
    case 403:
      return 'model_auth';
    case 429:
      return 'model_rate_limited';
    case 408:
    case 409:
      return 'model_unavailable';
    default:
      return status >= 500 ? 'model_unavailable' : 'model_rejected';
  }
}

function adviceFor(code: ErrorCode, { status, type = '', code: reason = '', message }: ProviderFailure): string {
  switch (code) {
    case 'model_auth':
      return 'Check the provider’s API key, what it may use, and that its account is paid.';
    case 'model_context_overflow':
      return 'The conversation no longer fits the model; ask with less material.';
    case 'model_rejected':
      return status === 404 || /not_?found/i.test(`${type} ${reason}`)
        ? 'Check that ALFRED_MODEL names a model it has, and that its base URL is right (for most servers it ends in /v1).'
        : `It says: ${saidOf(message)}`;
    default:
      return '';
  }
}

/** The provider's words in one line, short, and without what some servers repeat of the request: errors are kept and shown. */
const saidOf = (message: string) =>
  (message.split(/['"]input['"]\s*:|\binput_value\s*=/)[0] ?? '').replace(/\s+/g, ' ').trim().slice(0, 300);

/** `retry-after-ms`, or `retry-after`, in milliseconds; at most an hour. */
function retryAfterMs(headers: Headers): number | undefined {
  const exact = headers.get('retry-after-ms') ?? '';
  return isNumber(exact) ? boundedMs(Number(exact)) : retryAfterHeaderMs(headers.get('retry-after') ?? '');
}
