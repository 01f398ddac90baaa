import { linkAbort } from '../../runtime/link-abort.ts';
import { SlackCallError } from '../api-calls/call-error.ts';
import { isSlackAddress } from '../api-calls/slack-address.ts';
import type { ObservedCall } from '../api-calls/slack-call.ts';

/** Uploads count among the calls of Slack by this name. */
const method = 'file upload';
const timeoutMs = 60_000;

export type Upload = { team: string; url: string; bytes: Uint8Array<ArrayBuffer>; signal: AbortSignal };
/** @throws SlackCallError when Slack does not take the content; the signal's reason */
export type UploadBytes = (upload: Upload) => Promise<void>;

type Deps = {
  /** Slack's Web API when it is not Slack's own, as in trials. */
  apiUrl: string | undefined;
  observe: (call: ObservedCall) => void;
  fetch?: typeof globalThis.fetch;
};

/** Sends content to the address that `files.getUploadURLExternal` gave. Nothing is shown of it yet. */
export const createUploadBytes =
  ({ apiUrl, observe, fetch = globalThis.fetch }: Deps): UploadBytes =>
  async ({ team, url, bytes, signal }) => {
    const startedAt = performance.now();
    const failure = await send({ url: URL.parse(url), bytes, signal, apiUrl, fetch });
    observe({ team, method, outcome: failure?.code ?? 'ok', durationMs: performance.now() - startedAt });
    signal.throwIfAborted();
    if (failure) throw failure;
  };

type Sent = Omit<Upload, 'team' | 'url'> & { url: URL | null; apiUrl: string | undefined; fetch: typeof fetch };

async function send({ url, bytes, signal, apiUrl, fetch }: Sent): Promise<SlackCallError | undefined> {
  if (!url || !isSlackAddress(url, apiUrl)) return new SlackCallError(method, 'elsewhere', 'refused');
  const attempt = linkAbort([signal], { timeoutMs });
  try {
    const headers = { 'content-type': 'application/octet-stream' };
    const request = { method: 'POST', headers, body: bytes, redirect: 'error', signal: attempt.signal } as const;
    const response = await fetch(url, request);
    await response.body?.cancel();
    const { ok, status } = response;
    if (ok) return undefined;
    const isBusy = status >= 500 || status === 429 || status === 408;
    return isBusy ? unavailable() : new SlackCallError(method, `http_${status}`, 'refused');
  } catch {
    return unavailable();
  } finally {
    attempt.release();
  }
}

const unavailable = () => new SlackCallError(method, 'unavailable', 'unknown');
