import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem, Unreachable } from './api-client.ts';

/** Whether waiting can help: nobody answers, or the server says that it cannot just now. */
export const isPassing = (error: unknown) =>
  error instanceof Unreachable || (error instanceof ApiProblem && (error.status === 503 || error.status === 429));

/**
 * Counts out the patience with a server that does not answer: waits a little longer each time, and gives up by
 * throwing the error once nothing has answered for `limitMs`.
 */
export function createPatience({
  limitMs,
  onWait,
  signal,
}: {
  limitMs: number;
  onWait?: (error: Error) => void;
  signal?: AbortSignal | undefined;
}) {
  let since: number | undefined;
  let delayMs = 200;
  return {
    /** Something answered; patience is whole again. */
    restore() {
      since = undefined;
      delayMs = 200;
    },
    async wait(error: Error) {
      if (since === undefined) onWait?.(error);
      since ??= Date.now();
      const asked = error instanceof ApiProblem ? error.retryAfterMs : undefined;
      const pause = Math.min(asked ?? delayMs, 5_000);
      if (Date.now() + pause - since > limitMs) throw error;
      await sleep(pause, undefined, signal ? { signal } : {});
      delayMs = Math.min(delayMs * 2, 2_000);
    },
  };
}
