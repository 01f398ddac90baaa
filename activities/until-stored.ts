import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseUnavailable } from '../runtime/database/database-errors.ts';
import { isShutdown } from './activity-context.ts';

/** The pause between two attempts, in milliseconds. */
const pauseMs = 1_000;
/** How long a worker that shuts down still tries, in milliseconds: less than the time until it is forced to end. */
const shutdownMs = 4_000;

/**
 * Stores what cannot be had again without paying or acting twice: retries while our database is unavailable, for as
 * long as the activity runs.
 *
 * @param signal of the activity: after its cancellation or its time-out nothing more is tried
 */
export async function untilStored<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let stopAt = Infinity;
  while (true) {
    try {
      return await store();
    } catch (error) {
      if (signal.aborted) stopAt = Math.min(stopAt, performance.now() + (isShutdown(signal) ? shutdownMs : 0));
      if (!isDatabaseUnavailable(error) || performance.now() >= stopAt) throw error;
      await sleep(pauseMs);
    }
  }
}
