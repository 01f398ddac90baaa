import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashFile } from '../../../runtime/hash.ts';

/** Size and SHA-256 (hex) that a file must have. */
export type Pinned = { bytes: number; sha256: string };

/** A connection without new bytes for this long is closed. */
const stallMs = 30_000;
const maxAttempts = 6;
/** The longest wait for a busy server. */
const maxWaitMs = 20_000;

type RetryTiming = { stallMs: number; waitMs: number };

/**
 * Downloads a file over HTTP. An interrupted transfer is resumed where it ended. A busy server is asked again after the
 * time that it sends.
 *
 * @param path target file; a partly downloaded file is continued
 * @throws Error with host and reason. The received part stays for the next attempt
 */
export async function downloadFile(
  url: URL,
  path: string,
  pinned: Pinned,
  { stallMs: stall, waitMs }: RetryTiming = { stallMs, waitMs: 1_000 },
): Promise<void> {
  let attempt = 1;
  let size = await sizeOf(path);
  while (size < pinned.bytes) {
    try {
      await transfer(url, path, { from: size, bytes: pinned.bytes, stallMs: stall });
    } catch (error) {
      if (attempt === maxAttempts || !(error instanceof RetryableError))
        throw new Error(`${url.host}: ${reasonOf(error)}`, { cause: error });
      await sleep(error.afterMs ?? waitMs);
    }
    attempt++;
    size = await sizeOf(path);
  }
  const actual = await hashFile(path);
  if (actual !== pinned.sha256)
    throw new Error(`${url.host} gave a file with SHA-256 ${actual}, expected ${pinned.sha256}: it is not used`);
}

/** An error after which another attempt may succeed. */
class RetryableError extends Error {
  readonly afterMs: number | undefined;
  constructor(message: string, { cause, afterMs }: { cause?: unknown; afterMs?: number | undefined } = {}) {
    super(message, { cause });
    this.afterMs = afterMs;
  }
}

function busyError({ status, headers }: Response): RetryableError {
  const seconds = Number(headers.get('retry-after') ?? NaN);
  const afterMs = Number.isFinite(seconds) ? Math.min(seconds * 1_000, maxWaitMs) : undefined;
  return new RetryableError(`HTTP ${status}`, { afterMs });
}

async function transfer(url: URL, path: string, { from, bytes, stallMs: stall }: Part): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${stall / 1_000} s`)), stall);
  try {
    // Ranges count bytes of the compressed body, so a compressed transfer could not be resumed.
    const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
    const response = await fetch(url, { headers, signal: stalled.signal });
    if ([429, 500, 502, 503, 504].includes(response.status)) throw busyError(response);
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    // A server without support for ranges sends the file from its beginning.
    const isResumed = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`);
    let size = isResumed ? from : 0;
    // Each chunk is written at once, so that an interrupted transfer keeps what it has received.
    await using file = await open(path, isResumed ? 'a' : 'w');
    for await (const chunk of retryableChunks(response.body as AsyncIterable<Uint8Array>)) {
      timer.refresh();
      size += chunk.length;
      if (size > bytes) throw new Error(`more than the expected ${bytes} bytes came`);
      await file.writeFile(chunk);
    }
    if (size < bytes) throw new RetryableError(`the connection ended after ${size} of ${bytes} bytes`);
  } finally {
    clearTimeout(timer);
  }
}
type Part = { from: number; bytes: number; stallMs: number };

/** The chunks of a response. A broken connection becomes a `RetryableError`. */
async function* retryableChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* chunks;
  } catch (error) {
    throw new RetryableError(reasonOf(error), { cause: error });
  }
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** The message `fetch failed` does not help. The error's cause has the reason. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
