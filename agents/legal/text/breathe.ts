import { setImmediate } from 'node:timers/promises';

/** Longest work without a pause, in milliseconds: heartbeats, and other calls of the worker, wait for it. */
const longestMs = 100;

/** Lets other work of the process run, when this one has taken long. Called between the parts of a long computation. */
export function createBreathing(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < longestMs) return;
    await setImmediate();
    since = performance.now();
  };
}
