import { setTimeout as sleep } from 'node:timers/promises';
import { linkAbort } from '../../runtime/link-abort.ts';
import { isSlackAddress } from '../api-calls/slack-address.ts';
import type { SharedFile } from './shared-file.ts';

/** `not_given`: Slack shows its sign-in page or refuses, as without the scope. `elsewhere`: it is not at Slack. */
export type DownloadProblem = 'not_given' | 'too_large' | 'gone' | 'unavailable' | 'elsewhere';
export type Downloaded = { bytes: Uint8Array } | { problem: DownloadProblem };
export type Download = (
  file: SharedFile & { team: string },
  limits: { maxBytes: number; signal: AbortSignal },
) => Promise<Downloaded>;

type Deps = {
  /** The bot token of a workspace. */
  tokenOf: (team: string) => string | Promise<string>;
  /** Slack's Web API when it is not Slack's own, as in trials: its files are there too. */
  apiUrl: string | undefined;
  /** `outcome`: `ok`, or how Slack would name it. */
  observe: (download: { team: string; outcome: string; durationMs: number }) => void;
  fetch?: typeof globalThis.fetch;
  pauseMs?: number;
};

const attempts = 3;
const attemptMs = 60_000;
const longestPauseMs = 30_000;
const mostRedirects = 3;

type Again = { retryAfterMs: number };
type Answered = Downloaded | Again;

/**
 * Reads a file from Slack. The token goes to Slack alone, also when an address leads elsewhere.
 *
 * @throws the reason of the signal
 */
export const createDownload = (deps: Deps): Download => {
  const { tokenOf, observe, fetch = globalThis.fetch, pauseMs = 500 } = deps;

  async function tryOnce(file: SharedFile & { team: string }, { maxBytes, signal }: Parameters<Download>[1]) {
    const attempt = linkAbort([signal], { timeoutMs: attemptMs });
    try {
      const headers = { authorization: `Bearer ${await tokenOf(file.team)}` };
      const get = (url: URL) => fetch(url, { headers, redirect: 'manual', signal: attempt.signal });
      return await follow(file, { get, apiUrl: deps.apiUrl, maxBytes });
    } catch {
      signal.throwIfAborted();
      return { retryAfterMs: pauseMs };
    } finally {
      attempt.release();
    }
  }

  return async (file, limits) => {
    if (file.sizeBytes !== undefined && file.sizeBytes > limits.maxBytes) return { problem: 'too_large' };
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const startedAt = performance.now();
      const answered = await tryOnce(file, limits);
      observe({ team: file.team, outcome: outcomeOf(answered), durationMs: performance.now() - startedAt });
      if (!('retryAfterMs' in answered)) return answered;
      if (attempt < attempts) await pause(answered.retryAfterMs * attempt, limits.signal);
    }
    return { problem: 'unavailable' };
  };
};

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, longestPauseMs), undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

function outcomeOf(answered: Answered): string {
  if ('bytes' in answered) return 'ok';
  if ('retryAfterMs' in answered) return 'unavailable';
  return answered.problem === 'not_given' ? 'missing_scope' : answered.problem;
}

type Following = { get: (url: URL) => Promise<Response>; apiUrl: string | undefined; maxBytes: number };

/** Goes where Slack leads, as long as that is Slack. @throws when Slack does not answer */
async function follow(file: SharedFile, { get, apiUrl, maxBytes }: Following): Promise<Answered> {
  let url = URL.parse(file.url ?? '');
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    if (!url || !isSlackAddress(url, apiUrl)) return { problem: redirects === 0 ? 'elsewhere' : 'not_given' };
    const response = await get(url);
    if (response.status < 300 || response.status >= 400) return read(response, file, maxBytes);
    await response.body?.cancel();
    url = URL.parse(response.headers.get('location') ?? '', url.href);
  }
  return { problem: 'not_given' };
}

async function read(response: Response, file: SharedFile, maxBytes: number): Promise<Answered> {
  const { status, headers } = response;
  const declared = Number(headers.get('content-length')) || 0;
  const isRead = response.ok && declared <= maxBytes;
  const bytes = isRead ? await readBody(response, maxBytes) : undefined;
  if (!isRead) await response.body?.cancel();
  if (status === 429) return { retryAfterMs: 1_000 * (Number(headers.get('retry-after')) || 1) };
  if (status >= 500 || status === 408) return { retryAfterMs: 1_000 };
  if (status === 404 || status === 410) return { problem: 'gone' };
  if (!response.ok) return { problem: 'not_given' };
  if (!bytes) return { problem: 'too_large' };
  return isSignInPage(headers.get('content-type'), bytes, file) ? { problem: 'not_given' } : { bytes };
}

/** Where a token does not count for a file, Slack answers 200 with the page on which people sign in. */
function isSignInPage(type: string | null, { length }: Uint8Array, { mediaType, sizeBytes }: SharedFile): boolean {
  if (!/^text\/html\b/i.test(type ?? '')) return false;
  return !/^text\/html\b/i.test(mediaType) || (sizeBytes !== undefined && sizeBytes !== length);
}

/** @returns undefined when it is longer than `maxBytes` */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > maxBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
