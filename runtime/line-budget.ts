/** The lines of one kind that a process logs in a minute. */
const most = 60;
const windowMs = 60_000;

/**
 * Bounds lines of the log that a stranger can cause with each request.
 *
 * @returns whether to log one more, and with the first line of a window how many were left out of the one before
 */
export function createLineBudget(now: () => number = Date.now) {
  let startedAt = -Infinity;
  let used = 0;
  return {
    take(): { isWithin: boolean; leftOut: number } {
      let leftOut = 0;
      if (now() - startedAt >= windowMs) {
        leftOut = Math.max(0, used - most);
        startedAt = now();
        used = 0;
      }
      used++;
      return { isWithin: used <= most, leftOut };
    },
  };
}
