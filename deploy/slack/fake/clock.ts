/** The time of the fake Slack. Streams, statuses, rate limits and repeats of events follow it. */
export type Clock = {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once after this time of the clock. @returns cancels it */
  after(ms: number, run: () => void): () => void;
};

export type SettableClock = Clock & {
  /** Moves the time forward, and runs in order what comes due on the way. */
  advance(ms: number): void;
  clear(): void;
};

type Timer = { due: number; run: () => void; handle?: NodeJS.Timeout | undefined };

/** The longest time that Node's timers take. */
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * A clock that can be set.
 *
 * @param start milliseconds since 1970; now if it is left out
 * @param speed how many seconds pass in a second. With 0 the time stands still between calls of `advance`
 */
export function createClock({ start, speed = 1 }: { start?: number; speed?: number } = {}): SettableClock {
  const realStart = Date.now();
  let offset = start ?? realStart;
  let timers: Timer[] = [];
  /** While timers run in `advance`, the time is when each was due. */
  let frozenAt: number | undefined;

  const now = () => frozenAt ?? Math.floor(offset + (Date.now() - realStart) * speed);
  const remove = (timer: Timer) => {
    clearTimeout(timer.handle);
    timers = timers.filter((other) => other !== timer);
  };
  const fire = (timer: Timer) => {
    remove(timer);
    timer.run();
  };
  const arm = (timer: Timer) => {
    clearTimeout(timer.handle);
    const wait = timer.due - now();
    if (wait > 0 && speed === 0) return;
    const realMs = wait <= 0 ? 0 : wait / speed;
    const check = () => (timer.due <= now() ? fire(timer) : arm(timer));
    timer.handle = setTimeout(check, Math.min(Math.ceil(realMs), longestTimeoutMs)).unref();
  };

  return {
    now,
    after(ms, run) {
      const timer: Timer = { due: now() + ms, run };
      timers.push(timer);
      arm(timer);
      return () => remove(timer);
    },
    advance(ms) {
      const end = now() + ms;
      while (true) {
        const next = timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        frozenAt = Math.max(next.due, frozenAt ?? 0);
        fire(next);
      }
      frozenAt = undefined;
      offset += ms;
      timers.forEach(arm);
    },
    clear() {
      for (const timer of timers) clearTimeout(timer.handle);
      timers = [];
    },
  };
}
