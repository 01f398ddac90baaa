import type { Logger } from './logger.ts';

/**
 * Runs a check again and again, and tells when its outcome changes.
 *
 * @param check rejects while the condition does not hold
 * @param everyMs pause between two checks
 */
export function createConditionWatch(
  check: () => Promise<void>,
  { log, name, everyMs = 5_000 }: { log: Logger; name: string; everyMs?: number },
) {
  let holds = true;
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

  const run = async (): Promise<void> => {
    await check().then(
      () => set(true),
      (error: unknown) => set(false, error instanceof Error ? error.message : String(error)),
    );
    if (!isClosed) timer = setTimeout(() => void run(), everyMs);
  };

  return {
    /** Makes the first check, and goes on in the background. */
    start: run,
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
