import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem, Unreachable } from './api-client.ts';

/**
 * Whether waiting can help: no server answers, or it answers that it is overloaded (429) or unavailable (503). A wrong
 * token or key does not become right.
 */
export const isTransient = (error: unknown) =>
  error instanceof Unreachable ||
  (error instanceof ApiProblem && [429, 503].includes(error.status) && error.code !== 'sign_ins_paused');

const firstDelayMs = 200;
const longestDelayMs = 2_000;
/** `Retry-After` is followed up to this. */
const longestRetryAfterMs = 5_000;

/**
 * Exponential backoff for a server that does not answer: 200 ms, doubled up to 2 s, or what `Retry-After` asks for.
 *
 * @param options.giveUpAfterMs `wait` rethrows the error when the server has not answered for this long
 * @param options.onWait        called at the first wait of an outage
 */
export function createBackoff({
  giveUpAfterMs,
  onWait,
  signal,
}: {
  giveUpAfterMs: number;
  onWait?: (error: Error) => void;
  signal?: AbortSignal | undefined;
}) {
  let firstFailureAt: number | undefined;
  let delayMs = firstDelayMs;
  return {
    /** Call it when the server has answered: the next outage starts from the shortest delay. */
    reset() {
      firstFailureAt = undefined;
      delayMs = firstDelayMs;
    },
    async wait(error: Error) {
      if (firstFailureAt === undefined) onWait?.(error);
      firstFailureAt ??= Date.now();
      const retryAfterMs = error instanceof ApiProblem ? error.retryAfterMs : undefined;
      const pauseMs = Math.min(retryAfterMs ?? delayMs, longestRetryAfterMs);
      if (Date.now() + pauseMs - firstFailureAt > giveUpAfterMs) throw error;
      await sleep(pauseMs, undefined, signal ? { signal } : {});
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    },
  };
}
