import { webApi } from '@slack/bolt';

const unreadable = 'unreadable_answer';
/** After these, parts of the call may have taken effect. */
const ownFailures = new Set([unreadable, 'fatal_error', 'internal_error', 'request_timeout', 'service_unavailable']);

/** A call that Slack did not do, or that it did not answer. Has nothing of the call's content. */
export class SlackCallError extends Error {
  readonly method: string;
  /** Slack's name of the error, or `unavailable` when Slack did not answer. */
  readonly code: string;
  /** `refused`: nothing has changed in Slack. `unknown`: the call may have taken effect. */
  readonly effect: 'refused' | 'unknown';

  constructor(method: string, code: string, effect: 'refused' | 'unknown') {
    super(`Slack's ${method}: ${code}`);
    this.name = 'SlackCallError';
    this.method = method;
    this.code = code;
    this.effect = effect;
  }
}

export const isSlackCallError = (error: unknown): error is SlackCallError => error instanceof SlackCallError;

/** When Slack does not say how long to wait. */
const usualRetryMs = 30_000;

/** @returns `retryAfterMs` when Slack did nothing because of a rate limit; else the error that callers get */
export function judgeFailure(method: string, error: unknown): { retryAfterMs: number } | SlackCallError {
  if (error instanceof SlackCallError) return error;
  if (error instanceof webApi.WebAPIRateLimitedError) return { retryAfterMs: Math.max(1, error.retryAfter) * 1_000 };
  if (error instanceof webApi.WebAPIPlatformError) {
    const code = nameOf(error.data.error);
    if (code === 'ratelimited' || code === 'rate_limited') {
      const seconds = error.data.response_metadata?.retryAfter;
      return { retryAfterMs: seconds === undefined ? usualRetryMs : Math.max(1, seconds) * 1_000 };
    }
    return new SlackCallError(method, code, ownFailures.has(code) ? 'unknown' : 'refused');
  }
  if (error instanceof webApi.WebAPIHTTPError && error.statusCode < 500)
    return new SlackCallError(method, `http_${error.statusCode}`, 'refused');
  return new SlackCallError(method, 'unavailable', 'unknown');
}

/** The library puts the body into `error` when it is no JSON: the page of a proxy, for example. */
const nameOf = (code: string) => (/^[a-z][a-z0-9_.-]{0,79}$/.test(code) ? code : unreadable);
