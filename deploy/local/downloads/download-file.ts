import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashFile } from '../../../runtime/hash.ts';

/** What a file must be; a server that says otherwise has another one. */
export type Pinned = { bytes: number; sha256: string };

/** A connection that brings nothing for this long is given up. */
const stallMs = 30_000;
const mostTries = 6;
/** Longest time that a busy server is waited for. */
const longestWaitMs = 20_000;

type Pace = { stallMs: number; waitMs: number };

/**
 * Downloads a file over HTTP. An answer that breaks off is taken up where it broke; a busy server is asked again when it
 * says so.
 *
 * @param path where it goes; a part that is there already is not loaded again
 * @throws with host and reason; what came stays for the next try, unless it is not what was pinned
 */
export async function downloadFile(
  url: URL,
  path: string,
  pinned: Pinned,
  { stallMs: stall, waitMs }: Pace = { stallMs, waitMs: 1_000 },
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const had = await sizeOf(path);
    if (had >= pinned.bytes) break;
    try {
      await transfer(url, path, { from: had, bytes: pinned.bytes, stallMs: stall });
    } catch (error) {
      if (tries === mostTries || !(error instanceof Again))
        throw new Error(`${url.host}: ${reasonOf(error)}`, { cause: error });
      await sleep(error.afterMs ?? waitMs);
    }
  }
  const found = await hashFile(path);
  if (found !== pinned.sha256)
    throw new Error(`${url.host} gave a file with SHA-256 ${found}, expected ${pinned.sha256}: it is not used`);
}

/** What may go better the next time. */
class Again extends Error {
  readonly afterMs: number | undefined;
  constructor(message: string, { cause, afterMs }: { cause?: unknown; afterMs?: number | undefined } = {}) {
    super(message, { cause });
    this.afterMs = afterMs;
  }
}

function busy({ status, headers }: Response): Again {
  const seconds = Number(headers.get('retry-after') ?? NaN);
  const afterMs = Number.isFinite(seconds) ? Math.min(seconds * 1_000, longestWaitMs) : undefined;
  return new Again(`HTTP ${status}`, { afterMs });
}

async function transfer(url: URL, path: string, { from, bytes, stallMs: stall }: Part): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${stall / 1_000} s`)), stall);
  try {
    // Packed bytes could not be taken up where they broke.
    const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
    const response = await fetch(url, { headers, signal: stalled.signal });
    if ([429, 500, 502, 503, 504].includes(response.status)) throw busy(response);
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    // A server that knows no ranges begins anew.
    const goesOn = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`);
    let size = goesOn ? from : 0;
    // Piece by piece, so that all that came is there when the connection breaks.
    await using file = await open(path, goesOn ? 'a' : 'w');
    for await (const piece of untilItBreaks(response.body as AsyncIterable<Uint8Array>)) {
      timer.refresh();
      size += piece.length;
      if (size > bytes) throw new Error(`more than the expected ${bytes} bytes came`);
      await file.writeFile(piece);
    }
    if (size < bytes) throw new Again(`the connection ended after ${size} of ${bytes} bytes`);
  } finally {
    clearTimeout(timer);
  }
}
type Part = { from: number; bytes: number; stallMs: number };

/** The pieces of an answer, which is asked for again when it breaks off. */
async function* untilItBreaks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* pieces;
  } catch (error) {
    throw new Again(reasonOf(error), { cause: error });
  }
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
