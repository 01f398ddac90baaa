import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Spreads calls over time: `burst` calls at once, then `perS` a second. The rate holds for all callers of the returned
 * function together.
 */
export function createPace({ perS, burst }: { perS: number; burst: number }) {
  const intervalMs = 1_000 / perS;
  /** When the bucket is full again. */
  let fullAt = 0;
  return async (signal?: AbortSignal): Promise<void> => {
    const now = performance.now();
    fullAt = Math.max(fullAt, now) + intervalMs;
    const waitMs = fullAt - now - burst * intervalMs;
    if (waitMs > 0) await sleep(waitMs, undefined, { ...(signal ? { signal } : {}) });
  };
}
