import type { youtube_v3 } from '@googleapis/youtube';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { retryAfterHeaderMs } from '../outbound/retry-after.ts';
import { hostOf, type Send, type SourceCalls } from './source-calls.ts';
import type { YoutubeQuota } from './youtube-quota.ts';

export type YoutubeDeps = {
  calls: Pick<SourceCalls, 'checkPause' | 'count' | 'pause' | 'unreadable'>;
  send: Send;
  quota: YoutubeQuota;
  metrics?: Pick<Metrics, 'socialQuota'> | undefined;
  now?: () => number;
};

/** A request that is the same is answered from here: each one uses up quota, also when nothing has changed. */
const freshMs = 10 * 60_000;

/** Calls of the YouTube Data API with their quota, pauses and a cache. */
export function createYoutubeClient(
  { calls, send, quota, metrics, now = Date.now }: YoutubeDeps,
  { key, url: address }: { key: string; url: string },
) {
  const host = hostOf(address);
  const cache = new LRUCache<string, { data: object; readAt: string }>({ max: 200, ttl: freshMs });
  let client: Promise<youtube_v3.Youtube> | undefined;
  /** Loaded at its first use: most processes never call YouTube. */
  const connect = () =>
    (client ??= import('@googleapis/youtube').then(({ youtube }) =>
      youtube({
        version: 'v3',
        rootUrl: address,
        retry: false,
        // In a header: an address with the key could reach a log.
        headers: { 'x-goog-api-key': key },
        fetchImplementation: throughSend(send),
      }),
    ));

  /** One call, counted and kept. @throws AlfredError */
  async function ask<T extends object>(
    what: 'searches' | 'units',
    kept: { method: string; params: object },
    request: (client: youtube_v3.Youtube) => Promise<{ data: T }>,
  ): Promise<{ data: T; readAt: string }> {
    const name = JSON.stringify(kept);
    const known = cache.get(name);
    if (known) {
      calls.count('cached');
      return known as { data: T; readAt: string };
    }
    calls.checkPause(host);
    const api = await connect();
    quota.use(what, 1);
    const countUsed = () => metrics?.socialQuota.inc({ source: 'youtube', quota: what });
    const { data } = await request(api).catch((error: unknown) => {
      const fault = failure(error, what);
      if (wasNeverSent(fault)) quota.giveBack(what);
      else countUsed();
      throw fault;
    });
    countUsed();
    if (!Array.isArray((data as { items?: unknown }).items))
      throw calls.unreadable(address, 'answered in a form that Alfred does not know: items is not as expected');
    calls.count('ok');
    const read = { data, readAt: new Date(now()).toISOString() };
    cache.set(name, read);
    return read;
  }

  function failure(error: unknown, what: 'searches' | 'units'): unknown {
    const { response } = error as { response?: { status: number; headers: Headers; data: unknown } };
    if (!response) {
      // Of our own request, and not of its answer.
      const cause = (error as { cause?: unknown }).cause;
      const own = [error, cause].find((one) => one instanceof AlfredError);
      if (own) calls.count('failed');
      return own ?? cause ?? error;
    }
    const { status, headers } = response;
    const reason = reasonIn(response.data);
    if (/^(quotaExceeded|dailyLimitExceeded)$/.test(reason)) {
      calls.count('rate_limited');
      return quota.close(what);
    }
    if (status === 429 || /^(userR|r)ateLimitExceeded$/.test(reason)) {
      calls.count('rate_limited');
      return calls.pause(host, retryAfterHeaderMs(headers.get('retry-after') ?? '') ?? 30_000, reason || 'status 429');
    }
    calls.count(status >= 500 ? 'failed' : 'refused');
    return new AlfredError(
      status >= 500 ? 'source_unreachable' : 'source_refused',
      `YouTube answered with status ${status}${reason === '' ? '' : ` (${reason})`}.${status < 500 ? ' Check YOUTUBE_API_KEY, and that its project may use the YouTube Data API.' : ''}`,
    );
  }

  return { ask };
}

const unsent = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)$/;

/** Whether there was no connection that the request could have gone by. */
function wasNeverSent(fault: unknown): boolean {
  const { cause } = fault as { cause?: { cause?: { code?: unknown } } };
  return fault instanceof AlfredError && unsent.test(String(cause?.cause?.code));
}

/** `errors[0].reason` of an error of Google's APIs, or nothing. */
function reasonIn(data: unknown): string {
  const { error } = (typeof data === 'object' && data !== null ? data : {}) as {
    error?: { errors?: { reason?: unknown }[] };
  };
  const reason = error?.errors?.[0]?.reason;
  return typeof reason === 'string' && /^\w{1,60}$/.test(reason) ? reason : '';
}

/** Google's client sends by this: with our limits of time and size. */
const throughSend =
  (send: Send): typeof fetch =>
  async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = Object.fromEntries(new Headers(init.headers));
    const signal = init.signal ?? new AbortController().signal;
    const answer = await send({ url, headers, signal });
    return new Response(new Uint8Array(answer.bytes), { status: answer.status, headers: answer.headers });
  };
