import type { Logger } from './logger.ts';

const maxFailures = 3;

/**
 * Runs a check again and again, and tells when its outcome changes. Several checks in a row must fail: one may meet a
 * short fault, and what is under way gets the time to report the fault itself.
 *
 * @param check rejects while the condition does not hold
 * @param everyMs pause between two checks
 */
export function createConditionWatch(
  check: () => Promise<void>,
  { log, name, everyMs = 5_000 }: { log: Logger; name: string; everyMs?: number | undefined },
) {
  let holds = true;
  let failures = 0;
  let waiters: { value: boolean; resolve: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const set = (value: boolean, reason = '') => {
    if (value === holds) return;
    holds = value;
    if (value) log.info({ name }, 'a condition of this process holds again');
    else log.error({ name, reason }, 'a condition of this process does not hold');
    const woken = waiters.filter((waiter) => waiter.value === value);
    waiters = waiters.filter((waiter) => waiter.value !== value);
    for (const { resolve } of woken) resolve();
  };

  /** @param bound failed checks in a row after which the condition does not hold */
  const run = async (bound: number): Promise<void> => {
    try {
      await check();
      failures = 0;
      set(true);
    } catch (error) {
      failures++;
      if (failures >= bound) set(false, error instanceof Error ? error.message : String(error));
    }
    if (!isClosed) timer = setTimeout(() => void run(maxFailures), everyMs);
  };

  return {
    /** Makes the first check, whose failure counts at once, and goes on in the background. */
    start: () => run(1),
    holds: () => holds,
    /** Resolves when the condition holds (`true`) or does not (`false`). */
    until: (value: boolean): Promise<void> =>
      value === holds ? Promise.resolve() : new Promise<void>((resolve) => waiters.push({ value, resolve })),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
export type ConditionWatch = ReturnType<typeof createConditionWatch>;
