import type { AlfredError } from './alfred-error.ts';
import { sleep } from './sleep.ts';

const firstDelayMs = 200;
const longestDelayMs = 5_000;

type Options = {
  giveUpAfterMs: number;
  signal: AbortSignal | undefined;
  onWait?: ((error: AlfredError) => void) | undefined;
};

/**
 * Waits between attempts: 200 ms, doubled up to 5 s, each shortened at random so that clients do not come back at once;
 * or longer, when `Retry-After` asks for it.
 */
export function createBackoff({ giveUpAfterMs, signal, onWait }: Options) {
  let failingSince: number | undefined;
  let delayMs = firstDelayMs;
  return {
    /** Call it when the server has answered: the next outage starts from the shortest delay. */
    reset() {
      failingSince = undefined;
      delayMs = firstDelayMs;
    },
    /** @throws `error` when the wait would end later than `giveUpAfterMs` after the first failure */
    async wait(error: AlfredError): Promise<void> {
      const isFirst = failingSince === undefined;
      failingSince ??= Date.now();
      const pauseMs = Math.max(error.retryAfterMs ?? 0, delayMs * (0.5 + Math.random() / 2));
      if (Date.now() + pauseMs - failingSince > giveUpAfterMs) throw error;
      if (isFirst) onWait?.(error);
      await sleep(pauseMs, signal);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    },
  };
}
