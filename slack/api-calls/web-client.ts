import { webApi } from '@slack/bolt';
import { silentLog } from '../silent-log.ts';

/** Slack answers in well under a second. The lease of a post is longer than a call. */
export const callTimeoutMs = 10_000;

type Fetch = NonNullable<webApi.WebClientOptions['fetch']>;

type Options = {
  token: string;
  /** Default: Slack's. */
  apiUrl?: string | undefined;
  fetch?: Fetch;
};

/**
 * Slack's client without its own retries: the queue of calls decides about them. It logs nothing, because it would log
 * what people write.
 */
export const createWebClient = ({ token, apiUrl, fetch = globalThis.fetch }: Options): webApi.WebClient =>
  new webApi.WebClient(token, {
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: callTimeoutMs,
    logger: silentLog,
    fetch: async (url, init) => withRetryAfter(await fetch(url, init)),
  });

/** The library reports a 429 without `Retry-After` as an error without a name. */
function withRetryAfter(response: Awaited<ReturnType<Fetch>>): Awaited<ReturnType<Fetch>> {
  if (response.status !== 429 || /^\d+$/.test(response.headers.get('retry-after') ?? '')) return response;
  return new Response(null, { status: 429, headers: { 'retry-after': '30' } });
}
