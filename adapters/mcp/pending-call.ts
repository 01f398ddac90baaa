import { AsyncLocalStorage } from 'node:async_hooks';

/** How long an answer may take to be read after its stream has ended, in milliseconds. */
const readingMs = 1_000;

/** The answer of a server is larger than the operator allows. */
export class AnswerTooLarge extends Error {}
/** The server's stream ended before its answer. */
export class StreamBroken extends Error {}

/**
 * One request that waits for its answer. The SDK leaves a request pending when the stream of its answer breaks, so the
 * fetch function and the client tell the request itself, which they find here.
 */
export function createPendingCall() {
  const failed = new AbortController();
  let isResumable = false;
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: failed.signal,
    fail: (error: Error) => failed.abort(error),
    /** The server has given a mark from which the SDK can read on after a broken stream. */
    markResumable: () => {
      isResumable = true;
    },
    streamEnded() {
      if (!isResumable) timer ??= setTimeout(() => failed.abort(new StreamBroken()), readingMs);
    },
    release: () => clearTimeout(timer),
  };
}
export type PendingCall = ReturnType<typeof createPendingCall>;

export const pendingCall = new AsyncLocalStorage<PendingCall | undefined>();
