import { setImmediate } from 'node:timers/promises';

/** Longest work without a pause, in milliseconds: heartbeats, and other calls of the worker, wait for it. */
const longestMs = 100;

/**
 * Makes a function that is called between the parts of a long computation: it lets other work of the process run when
 * this one has taken long, and throws the reason of the signal's abort.
 */
export function createPause(signal?: AbortSignal): () => Promise<void> {
  let since = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - since < longestMs) return;
    await setImmediate();
    signal?.throwIfAborted();
    since = performance.now();
  };
}
