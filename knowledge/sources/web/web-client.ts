import { setTimeout as sleep } from 'node:timers/promises';
import { AlfredError } from '../../../contract/errors.ts';
import type { Validators } from '../../../contract/ports/index.ts';
import type { Outbound, OutboundResponse } from '../../../adapters/outbound/outbound.ts';
import { retryAfterHeaderMs } from '../../../adapters/outbound/retry-after.ts';
import type { HostThrottle } from './host-throttle.ts';

const maxRedirects = 5;
/** Attempts while the server answers that it is busy. After these, the item waits for the next sync. */
const maxAttempts = 3;
const maxWaitMs = 30_000;

/** What robots.txt of a host allows. `delayMs` is the minimum time between two requests. */
export type RobotsRules = { isAllowed: (url: string) => boolean; delayMs: number };

export type WebRequest = {
  url: string;
  validators?: Validators;
  signal: AbortSignal;
  /** The only host that redirects may lead to; undefined: any. */
  host?: string | undefined;
  /** The rules of an address's host. */
  rulesOf: (url: URL) => Promise<RobotsRules>;
};

/** Reads pages that robots.txt allows, at a limited rate. Each hop of a redirect goes through the outbound guard. */
export function createWebClient({ outbound, throttle }: { outbound: Outbound; throttle: HostThrottle }) {
  async function request(url: URL, { validators, rulesOf, signal }: WebRequest): Promise<OutboundResponse> {
    const { isAllowed, delayMs } = await rulesOf(url);
    if (!isAllowed(url.href))
      throw new AlfredError('source_refused', `robots.txt of ${url.host} does not let Alfred read this page.`);
    const headers = {
      accept: '*/*',
      'accept-encoding': 'identity',
      ...(validators?.etag ? { 'if-none-match': validators.etag } : {}),
      ...(validators?.lastModified ? { 'if-modified-since': validators.lastModified } : {}),
    };
    return throttle(url.host, delayMs, signal, () =>
      outbound.call({ url: url.href, method: 'GET', headers, signal }).catch((cause: unknown) => {
        signal.throwIfAborted();
        if (cause instanceof AlfredError && (cause.code === 'tool_failed' || cause.code === 'effect_unknown'))
          throw new AlfredError('source_unreachable', cause.message, { cause });
        throw cause;
      }),
    );
  }

  /** Retries a request to a busy server, after the delay that the server names. */
  async function requestWithRetries(url: URL, options: WebRequest): Promise<OutboundResponse> {
    let attempt = 0;
    while (true) {
      attempt++;
      const response = await request(url, options);
      const waitMs = retryAfterHeaderMs(response.headers['retry-after'] ?? '') ?? 500 * attempt;
      const isBusy = response.status === 429 || response.status === 503;
      if (!isBusy || attempt === maxAttempts || waitMs > maxWaitMs) return response;
      await sleep(waitMs, undefined, { signal: options.signal });
    }
  }

  return {
    /**
     * @returns the first complete response that is not a redirect, with any status
     * @throws AlfredError `source_unreachable`, `source_refused`, `destination_forbidden`, `file_too_large`
     */
    async get(options: WebRequest): Promise<OutboundResponse> {
      let url = new URL(options.url);
      let hops = 0;
      while (true) {
        const response = await requestWithRetries(url, options);
        const next = redirectOf(response, url);
        if (!next) return assertComplete(response, url);
        if (options.host !== undefined && next.host !== options.host)
          throw new AlfredError(
            'source_refused',
            `${url.host} redirects to another host, ${next.host}. A source is read from one host only; make one of that address.`,
          );
        if (hops === maxRedirects)
          throw new AlfredError('source_refused', `${url.host} redirects more than ${maxRedirects} times.`);
        url = next;
        hops++;
      }
    },
  };
}
export type WebClient = ReturnType<typeof createWebClient>;

/** The address that a response redirects to; undefined when it is no redirect. */
function redirectOf({ status, headers }: OutboundResponse, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  const to = URL.parse(headers.location, from.href);
  if (!to) throw new AlfredError('source_unreadable', `${from.host} redirects to what is no address.`);
  to.hash = '';
  return to;
}

/** @throws AlfredError when the response was cut off, broke off, or has an unknown encoding */
function assertComplete(response: OutboundResponse, { host }: URL): OutboundResponse {
  if (response.ending === 'broken')
    throw new AlfredError('source_unreachable', `The answer of ${host} broke off or took too long.`);
  if (response.ending === 'cut')
    throw new AlfredError(
      'file_too_large',
      `What ${host} answered is larger than the ${(response.bytes.length / 1_000_000).toFixed(1)} MB that are read at once. Raise ALFRED_MAX_UPLOAD_MB.`,
    );
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && !/^(x-)?gzip$/.test(encoding))
    throw new AlfredError('source_unreadable', `${host} answers in the encoding ${encoding}, which was not asked for.`);
  return response;
}
