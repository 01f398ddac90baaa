import type { Clock } from './clock.ts';
import type { Limit } from './method-limits.ts';

/** Beyond this number those are forgotten that limit nothing at the moment. */
const mostKept = 2_000;

/**
 * When calls may be made: the generic cell rate algorithm, for each key.
 *
 * Not `rate-limiter-flexible`: its queue keeps every key for ever, has no abort, and follows no other clock than the
 * system's; not `p-queue`, which knows one limit for all calls.
 */
export function createPace(clock: Clock) {
  /** `tat`: when the next call would be due if all calls came evenly. */
  const states = new Map<string, { tat: number; closedUntil: number }>();

  function stateOf({ key }: Limit) {
    const known = states.get(key);
    if (known) return known;
    if (states.size >= mostKept) forgetIdle();
    const state = { tat: 0, closedUntil: 0 };
    states.set(key, state);
    return state;
  }

  function forgetIdle() {
    const now = clock.now();
    for (const [key, { tat, closedUntil }] of states) if (tat <= now && closedUntil <= now) states.delete(key);
  }

  return {
    /** @returns milliseconds until a call may be made that counts against all of these */
    waitMs(limits: readonly Limit[]): number {
      const now = clock.now();
      const waits = limits.map((limit) => {
        const state = states.get(limit.key);
        return state ? Math.max(state.tat - (limit.burst - 1) * limit.intervalMs, state.closedUntil) - now : 0;
      });
      return Math.max(0, ...waits);
    },

    /** Counts a call. */
    take(limits: readonly Limit[]): void {
      for (const limit of limits) {
        const state = stateOf(limit);
        state.tat = Math.max(state.tat, clock.now()) + limit.intervalMs;
      }
    },

    /** Slack answered 429: no call until then, and no burst after it. */
    close(limit: Limit, ms: number): void {
      const state = stateOf(limit);
      state.closedUntil = Math.max(state.closedUntil, clock.now() + ms);
      state.tat = Math.max(state.tat, state.closedUntil + (limit.burst - 1) * limit.intervalMs);
    },
  };
}
