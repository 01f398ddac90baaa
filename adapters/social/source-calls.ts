import { LRUCache } from 'lru-cache';
import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import { socialSourceNames, type SocialSource } from '../../contract/social.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { createSourcePauses } from './source-pauses.ts';

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
  freshMs: number;
};

const mostCachedBytes = 16_000_000;

type Outcome = 'ok' | 'not_modified' | 'cached' | 'rate_limited' | 'paused' | 'refused' | 'failed' | 'unreadable';

/** By the code of an error, what becomes of a request without an answer. */
const outcomes: Partial<Record<ErrorCode, Outcome>> = {
  source_unreadable: 'unreadable',
  destination_forbidden: 'refused',
};

export type SourceCalls = ReturnType<typeof createSourceCalls>;

/**
 * Requests to one source, with its pauses and a cache. A source that has asked for a pause is not asked before its end:
 * the pauses are those of a host, and of this process.
 */
export function createSourceCalls({ source, send, metrics, log, now = Date.now, freshMs }: SourceCallsDeps) {
  const pauses = createSourcePauses({ source, log, now });
  const cache = createCache();
  /** By the address that is asked, the host that has answered last. */
  const answeredBy = new LRUCache<string, string>({ max: 500 });
  const name = socialSourceNames[source];
  const count = (outcome: Outcome) => metrics?.socialRequests.inc({ source, outcome });

  function checkPause(host: string): void {
    const error = pauses.current(host);
    if (!error) return;
    count('paused');
    throw error;
  }

  /** The host that has answered is the one that wants a pause: the one that was asked may only have sent us on. */
  function checkAnswer({ status, headers, url }: SourceAnswer, asked: string): void {
    const host = hostOf(url);
    answeredBy.set(asked, host);
    pauses.noteRateLimit(host, headers);
    if (status === 200 || status === 304) return;
    if (status === 429 || (status === 503 && headers.has('retry-after'))) {
      count('rate_limited');
      throw pauses.beginAsked(host, status, headers);
    }
    const code = status >= 500 || status === 408 ? 'source_unreachable' : 'source_refused';
    count(code === 'source_unreachable' ? 'failed' : 'refused');
    log.warn({ source, host, status }, 'a social source gave no answer');
    throw new AlfredError(code, `${name} (${host}) answered with status ${status}.${adviceFor(status)}`);
  }

  async function sendCounted(request: SourceRequest, host: string): Promise<SourceAnswer> {
    try {
      return await send(request);
    } catch (error) {
      if (!request.signal.aborted) {
        const code = error instanceof AlfredError ? error.code : 'internal';
        count(outcomes[code] ?? 'failed');
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
    checkPause(answeredBy.get(request.url) ?? host);
    const answer = await sendCounted({ ...request, headers: { ...request.headers, ...conditions(known) } }, host);
    checkAnswer(answer, request.url);
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
      checkAnswer(answer, request.url);
      const value = await parse(answer);
      count('ok');
      return value;
    },

    /**
     * Reads an address with `parse`, from the cache while its answer is fresh or the source says that it is the same.
     *
     * @returns `readAt`: when the source has last confirmed this answer
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

    pause: pauses.begin,
    checkPause,
  };
}

const createCache = () =>
  new LRUCache<string, CachedAnswer>({
    max: 500,
    maxSize: mostCachedBytes,
    sizeCalculation: ({ bytes }) => bytes.length + 1_000,
  });

/** Host and port: the rest of an address may hold secrets. */
export const hostOf = (url: string): string => URL.parse(url)?.host ?? 'unknown';

const conditions = (known: CachedAnswer | undefined): Record<string, string> => {
  const etag = known?.headers.get('etag');
  const modified = known?.headers.get('last-modified');
  return { ...(etag ? { 'if-none-match': etag } : {}), ...(modified ? { 'if-modified-since': modified } : {}) };
};

const unexpected = (name: string, why: string) => new AlfredError('source_unreadable', `${name} ${why}.`);

const adviceFor = (status: number): string => {
  if (status === 401 || status === 403) return ' Its credentials do not allow this, or it refuses programs.';
  if (status === 404 || status === 410) return ' There is nothing at this address.';
  if (status >= 300 && status < 400) return ' It sends readers on in a circle.';
  return '';
};
