import { setTimeout as sleep } from 'node:timers/promises';
import { AlfredError } from '../../../contract/errors.ts';
import type { Validators } from '../../../contract/ports/index.ts';
import type { Outbound, OutboundResponse } from '../../../adapters/outbound/outbound.ts';
import { retryAfterHeaderMs } from '../../../adapters/outbound/retry-after.ts';
import type { Pace } from './pace.ts';

const maxRedirects = 5;
/** Of a server that says it is busy; then the item waits for the next sync. */
const maxAttempts = 3;
const longestWaitMs = 30_000;

export type Rules = { isAllowed: (url: string) => boolean; delayMs: number };

export type WebRequest = {
  url: string;
  validators?: Validators;
  signal: AbortSignal;
  /** The only host that a redirect may lead to; undefined: any. */
  host?: string | undefined;
  /** What the host of an address allows. */
  rulesOf: (url: URL) => Promise<Rules>;
};

/** Reads pages: paced, within what robots.txt allows, each hop of a redirect guarded like the first. */
export function createWebClient({ outbound, pace }: { outbound: Outbound; pace: Pace }) {
  async function ask(url: URL, { validators, rulesOf, signal }: WebRequest): Promise<OutboundResponse> {
    const { isAllowed, delayMs } = await rulesOf(url);
    if (!isAllowed(url.href))
      throw new AlfredError('source_refused', `robots.txt of ${url.host} does not let Alfred read this page.`);
    const headers = {
      accept: '*/*',
      'accept-encoding': 'identity',
      ...(validators?.etag ? { 'if-none-match': validators.etag } : {}),
      ...(validators?.lastModified ? { 'if-modified-since': validators.lastModified } : {}),
    };
    return pace(url.host, delayMs, signal, () =>
      outbound.call({ url: url.href, method: 'GET', headers, signal }).catch((cause: unknown) => {
        signal.throwIfAborted();
        if (cause instanceof AlfredError && (cause.code === 'tool_failed' || cause.code === 'effect_unknown'))
          throw new AlfredError('source_unreachable', cause.message, { cause });
        throw cause;
      }),
    );
  }

  /** A busy server is asked again, as late as it says. */
  async function askPatiently(url: URL, request: WebRequest): Promise<OutboundResponse> {
    for (let attempt = 1; ; attempt++) {
      const answer = await ask(url, request);
      const waitMs = retryAfterHeaderMs(answer.headers['retry-after'] ?? '') ?? 500 * attempt;
      const isBusy = answer.status === 429 || answer.status === 503;
      if (!isBusy || attempt === maxAttempts || waitMs > longestWaitMs) return answer;
      await sleep(waitMs, undefined, { signal: request.signal });
    }
  }

  return {
    /**
     * @returns any whole answer that is no redirect
     * @throws AlfredError `source_unreachable`, `source_refused`, `destination_forbidden`, `file_too_large`
     */
    async get(request: WebRequest): Promise<OutboundResponse> {
      let url = new URL(request.url);
      for (let hops = 0; ; hops++) {
        const answer = await askPatiently(url, request);
        const next = redirectOf(answer, url);
        if (!next) return wholeOf(answer, url);
        if (request.host !== undefined && next.host !== request.host)
          throw new AlfredError(
            'source_refused',
            `${url.host} redirects to another host, ${next.host}. A source is read from one host only; make one of that address.`,
          );
        if (hops === maxRedirects)
          throw new AlfredError('source_refused', `${url.host} redirects more than ${maxRedirects} times.`);
        url = next;
      }
    },
  };
}
export type WebClient = ReturnType<typeof createWebClient>;

function redirectOf({ status, headers }: OutboundResponse, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  const to = URL.parse(headers.location, from.href);
  if (!to) throw new AlfredError('source_unreadable', `${from.host} redirects to what is no address.`);
  to.hash = '';
  return to;
}

function wholeOf(answer: OutboundResponse, { host }: URL): OutboundResponse {
  if (answer.ending === 'broken')
    throw new AlfredError('source_unreachable', `The answer of ${host} broke off or took too long.`);
  if (answer.ending === 'cut')
    throw new AlfredError(
      'file_too_large',
      `What ${host} answered is larger than the ${(answer.bytes.length / 1_000_000).toFixed(1)} MB that are read at once. Raise ALFRED_MAX_UPLOAD_MB.`,
    );
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && !/^(x-)?gzip$/.test(encoding))
    throw new AlfredError('source_unreadable', `${host} answers in the encoding ${encoding}, which was not asked for.`);
  return answer;
}
