import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import { socialSourceNames, type SocialSource } from '../../contract/social.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { retryAfterHeaderMs } from '../outbound/retry-after.ts';

export type SourceRequest = {
  url: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  signal: AbortSignal;
};

/** `url`: where the answer came from, after redirections. */
export type SourceAnswer = { status: number; headers: Headers; bytes: Buffer; url: string };

/** Sends one request. @throws AlfredError when there is no whole answer */
export type Send = (request: SourceRequest) => Promise<SourceAnswer>;

type CachedAnswer = { bytes: Buffer; headers: Headers; url: string; readAt: string };

export type SourceCallsDeps = {
  source: SocialSource;
  send: Send;
  metrics?: Pick<Metrics, 'socialRequests'> | undefined;
  log: Pick<Logger, 'warn'>;
  now?: () => number;
  /** An answer that is younger is taken without a request. */
  freshMs?: number;
};

/** A pause that is no longer is worth waiting for: the call is repeated after it. */
const shortPauseMs = 60_000;
/** When a source asks for a pause and does not say for how long. */
const usualPauseMs = 30_000;
const mostCachedBytes = 16_000_000;

type Outcome = 'ok' | 'not_modified' | 'cached' | 'rate_limited' | 'held_back' | 'refused' | 'failed' | 'unreadable';

export type SourceCalls = ReturnType<typeof createSourceCalls>;

/**
 * Requests to one source, with its pauses and a cache. A source that has asked for a pause is not asked before its end:
 * the pauses are those of a host, and of this process.
 */
export function createSourceCalls({ source, send, metrics, log, now = Date.now, freshMs = 60_000 }: SourceCallsDeps) {
  const pausedUntil = new LRUCache<string, number>({ max: 1_000 });
  const cache = new LRUCache<string, CachedAnswer>({
    max: 500,
    maxSize: mostCachedBytes,
    sizeCalculation: ({ bytes }) => bytes.length + 1_000,
  });
  const name = socialSourceNames[source];
  const count = (outcome: Outcome) => metrics?.socialRequests.inc({ source, outcome });

  function pause(host: string, ms: number, why: string): AlfredError {
    const until = Math.max(pausedUntil.get(host) ?? 0, now() + ms);
    pausedUntil.set(host, until);
    log.warn({ source, host, pauseS: Math.round(ms / 1_000), why }, 'a social source wants a pause');
    return pauseError(name, until, until - now());
  }

  function checkPause(host: string): void {
    const until = pausedUntil.get(host) ?? 0;
    if (until <= now()) return;
    count('held_back');
    throw pauseError(name, until, until - now());
  }

  function checkAnswer({ status, headers }: SourceAnswer, host: string): void {
    noteRateLimit(headers, host);
    if (status === 200 || status === 304) return;
    if (status === 429 || (status === 503 && headers.has('retry-after'))) {
      count('rate_limited');
      throw pause(host, askedPauseMs(headers) ?? usualPauseMs, `status ${status}`);
    }
    const isFault = status >= 500 || status === 408;
    count(isFault ? 'failed' : 'refused');
    log.warn({ source, host, status }, 'a social source gave no answer');
    throw new AlfredError(
      isFault ? 'source_unreachable' : 'source_refused',
      `${name} (${host}) answered with status ${status}.${adviceFor(status)}`,
    );
  }

  /** Reddit says with each answer how many requests are left. */
  function noteRateLimit(headers: Headers, host: string): void {
    const left = Number(headers.get('x-ratelimit-remaining') ?? 'NaN');
    const resetS = Number(headers.get('x-ratelimit-reset') ?? 'NaN');
    if (left < 1 && resetS > 0) pause(host, resetS * 1_000, 'no requests are left');
  }

  async function sendCounted(request: SourceRequest, host: string): Promise<SourceAnswer> {
    try {
      return await send(request);
    } catch (error) {
      if (!request.signal.aborted) {
        const code = error instanceof AlfredError ? error.code : 'internal';
        count(code === 'source_unreadable' ? 'unreadable' : code === 'destination_forbidden' ? 'refused' : 'failed');
        log.warn({ source, host, code }, 'a social source gave no answer');
      }
      throw error;
    }
  }

  async function readAnswer(request: SourceRequest): Promise<{ outcome: Outcome; answer: CachedAnswer }> {
    const known = cache.get(request.url);
    if (known && now() - Date.parse(known.readAt) < freshMs) return { outcome: 'cached', answer: known };
    const host = hostOf(request.url);
    checkPause(host);
    const answer = await sendCounted({ ...request, headers: { ...request.headers, ...conditions(known) } }, host);
    checkAnswer(answer, host);
    if (answer.status === 304 && !known) throw unexpected(name, 'answered that nothing has changed, unasked');
    const { bytes, headers, url } = answer.status === 304 && known ? known : answer;
    const read = { bytes, headers, url, readAt: new Date(now()).toISOString() };
    cache.set(request.url, read);
    return { outcome: answer.status === 304 ? 'not_modified' : 'ok', answer: read };
  }

  return {
    count,

    /** Sends a request whose answer is not kept, and reads it with `parse`. Any status but 200 throws. */
    async call<T>(request: SourceRequest, parse: (answer: SourceAnswer) => T | Promise<T>): Promise<T> {
      const host = hostOf(request.url);
      checkPause(host);
      const answer = await sendCounted(request, host);
      checkAnswer(answer, host);
      const value = await parse(answer);
      count('ok');
      return value;
    },

    /**
     * Reads an address with `parse`, from the cache while its answer is fresh or the source says that it is the same.
     *
     * @returns `readAt`: when the source has last said that this is its answer
     */
    async get<T>(
      request: SourceRequest,
      parse: (answer: CachedAnswer) => T | Promise<T>,
    ): Promise<{ value: T; readAt: string }> {
      const { outcome, answer } = await readAnswer(request);
      const value = await parse(answer);
      count(outcome);
      return { value, readAt: answer.readAt };
    },

    /** An answer that cannot be used: it is not kept. @returns the error to throw */
    unreadable(url: string, why: string): AlfredError {
      cache.delete(url);
      count('unreadable');
      log.warn({ source, host: hostOf(url), why }, 'a social source answered with something else');
      return unexpected(name, why);
    },

    /** Keeps everybody from asking a host for a while. @returns the error to throw */
    pause,
    checkPause,
  };
}

/** Host and port: the rest of an address may hold secrets. */
export const hostOf = (url: string): string => URL.parse(url)?.host ?? 'unknown';

const conditions = (known: CachedAnswer | undefined): Record<string, string> => {
  const etag = known?.headers.get('etag');
  const modified = known?.headers.get('last-modified');
  return { ...(etag ? { 'if-none-match': etag } : {}), ...(modified ? { 'if-modified-since': modified } : {}) };
};

function askedPauseMs(headers: Headers): number | undefined {
  const asked = retryAfterHeaderMs(headers.get('retry-after') ?? '');
  const resetS = Number(headers.get('x-ratelimit-reset') ?? 'NaN');
  return asked ?? (resetS > 0 ? resetS * 1_000 : undefined);
}

/** After a long pause nobody waits for the answer any more, so the call is not repeated. */
function pauseError(name: string, until: number, ms: number): AlfredError {
  const at = `${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return ms <= shortPauseMs
    ? new AlfredError('source_unreachable', `${name} asks for a pause until ${at}.`, { retryAfterMs: Math.max(ms, 1) })
    : new AlfredError('source_refused', `${name} asks for a pause until ${at}. Ask again after that.`);
}

const unexpected = (name: string, why: string) => new AlfredError('source_unreadable', `${name} ${why}.`);

const adviceFor = (status: number): string => {
  if (status === 401 || status === 403) return ' Its credentials do not allow this, or it refuses programs.';
  if (status === 404 || status === 410) return ' There is nothing at this address.';
  if (status >= 300 && status < 400) return ' It sends readers on in a circle.';
  return '';
};
