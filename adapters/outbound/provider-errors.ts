import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import { boundedMs, isNumber, retryAfterHeaderMs } from './retry-after.ts';

/** A failed call of a model or embeddings server. Only `message` is set when the server could not be reached. */
export type ProviderFailure = {
  status?: number | undefined;
  type?: string | undefined;
  code?: string | undefined;
  message: string;
  headers?: Headers | undefined;
};

/**
 * Maps a provider's failure to an error code, which decides whether Temporal retries. 408, 409, 429, 5xx and broken
 * connections are retried, after the delay that `retry-after` names. Everything else is final.
 */
export function providerError(provider: string, failure: ProviderFailure, cause?: unknown): AlfredError {
  const { status, type, code: reason, headers } = failure;
  const code = codeOf(failure);
  const errorName = reason ?? type;
  const answer = [status, errorName && status !== undefined ? `(${errorName})` : errorName].filter(Boolean).join(' ');
  const outcome = answer ? `answered ${answer}` : 'could not be reached or broke off';
  return new AlfredError(code, `${provider} ${outcome}. ${adviceFor(code, failure)}`.trim(), {
    retryAfterMs: headers && retryAfterMs(headers),
    cause,
  });
}

/** Codes and types of providers that are more exact than the HTTP status. */
const codesByReason: [RegExp, ErrorCode][] = [
  [/^(context_length_exceeded|exceed_context_size_error|request_too_large)$/, 'model_context_overflow'],
  // Waiting does not help: the account has to be paid or its limit raised.
  [/^(insufficient_quota|billing_error|billing_hard_limit_reached|.*spend_limit_reached)$/, 'model_auth'],
  [/^(model_not_found|DeploymentNotFound|model_deprecated|model_retired|not_found_error|NotFoundError)$/, 'model_auth'],
  [/^(permission_error|unsupported_country_region_territory)$/, 'model_auth'],
  [/^(rate_limit_error|rate_limit_exceeded)$/, 'model_rate_limited'],
  [/^(content_filter|content_policy_violation)$/, 'model_refused'],
];

/** Types of errors inside a stream. There the HTTP status is already sent, so only the type tells what happened. */
const codesInStream: [RegExp, ErrorCode][] = [
  [/^(authentication|permission|not_found|NotFound)/, 'model_auth'],
  [/^(invalid_request|BadRequest)/, 'model_rejected'],
];

/** How servers that have no code for it word that a prompt is too long. */
const promptTooLong =
  /(prompt|input) is too long|context[ _](window|length|size|limit)|token count.* exceeds|too many (input )?tokens/i;

function codeOf({ status, type = '', code = '', message }: ProviderFailure): ErrorCode {
  if (status === 413 || ([undefined, 400, 422].includes(status) && promptTooLong.test(message)))
    return 'model_context_overflow';
  // OpenAI: the request alone exceeds the limit of tokens per minute, so a retry fails as well.
  if (status === 429 && /^request too large/i.test(message)) return 'model_context_overflow';
  const codeIn = (table: [RegExp, ErrorCode][]) =>
    table.find(([pattern]) => pattern.test(code) || pattern.test(type))?.[1];
  const codeByReason = codeIn(codesByReason);
  if (codeByReason) return codeByReason;
  switch (status) {
    case undefined:
      return codeIn(codesInStream) ?? 'model_unavailable';
    case 401:
      return 'model_auth';
    // Our account, what the key may use, or the model. Gateways also answer so to what a single request contains.
    case 402:
    case 403:
    case 404:
      return 'model_denied';
    case 429:
      return 'model_rate_limited';
    case 408:
    case 409:
      return 'model_unavailable';
    default:
      return status >= 500 ? 'model_unavailable' : 'model_rejected';
  }
}

function adviceFor(code: ErrorCode, failure: ProviderFailure): string {
  const { status, type = '', code: reason = '', message } = failure;
  switch (code) {
    case 'model_denied':
      return `${adviceFor('model_auth', failure)} It says: ${shortMessage(message)}`;
    case 'model_auth':
      return status === 404 || /not_?found/i.test(`${type} ${reason}`)
        ? 'Check that ALFRED_MODEL names a model it has, and that its base URL is right (for most servers it ends in /v1).'
        : 'Check the provider’s API key, what it may use, and that its account is paid.';
    case 'model_context_overflow':
      return 'The conversation no longer fits the model; ask with less material.';
    case 'model_rejected':
      return `It says: ${shortMessage(message)}`;
    default:
      return '';
  }
}

/**
 * The provider's message as one short line. Some servers repeat the request in it: that part is cut off, because errors
 * are stored and shown.
 */
const shortMessage = (message: string) =>
  (message.split(/['"]input['"]\s*:|\binput_value\s*=/)[0] ?? '').replace(/\s+/g, ' ').trim().slice(0, 300);

/** The header `retry-after-ms`, else `retry-after`, in milliseconds; at most one hour. */
function retryAfterMs(headers: Headers): number | undefined {
  const exact = headers.get('retry-after-ms') ?? '';
  return isNumber(exact) ? boundedMs(Number(exact)) : retryAfterHeaderMs(headers.get('retry-after') ?? '');
}
