import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SettableClock } from '../../../deploy/slack/fake/clock.ts';

type Timer = { due: number; number: number; run: () => void };

export type TestClock = SettableClock & {
  /** Time stands still while this work runs: a request under way. */
  busy<T>(work: () => Promise<T>): Promise<T>;
  /** Moves the time from one timer to the next until the work has ended. */
  run<T>(work: Promise<T>): Promise<T>;
};

/** How much of the clock's time a test may take. */
const longestMs = 100 * 24 * 60 * 60_000;

/** A clock on which a day passes in a moment: when nothing runs any more, it moves to the next timer. */
export function createTestClock(start = Date.UTC(2026, 0, 5, 9)): TestClock {
  let now = start;
  let timers: Timer[] = [];
  let number = 0;
  let busy = 0;

  const next = () =>
    timers.reduce<Timer | undefined>((first, timer) => (isBefore(timer, first) ? timer : first), undefined);
  const isBefore = (timer: Timer, other: Timer | undefined) =>
    !other || timer.due < other.due || (timer.due === other.due && timer.number < other.number);

  function fire(timer: Timer) {
    timers = timers.filter((other) => other !== timer);
    now = Math.max(now, timer.due);
    timer.run();
  }

  /** Nothing under way, for several turns of the event loop. */
  async function settle() {
    for (let quiet = 0; quiet < 4; quiet = busy === 0 ? quiet + 1 : 0) await nextTurn();
  }

  return {
    now: () => now,
    after(ms, run) {
      const timer = { due: now + Math.max(0, Math.ceil(ms)), number: number++, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (let timer = next(); timer && timer.due <= end; timer = next()) fire(timer);
      now = end;
    },
    clear() {
      timers = [];
    },
    async busy(work) {
      busy++;
      try {
        return await work();
      } finally {
        busy--;
      }
    },
    async run(work) {
      let isOver = false;
      const end = () => {
        isOver = true;
      };
      work.then(end, end);
      while (true) {
        await settle();
        if (isOver) return work;
        const timer = next();
        if (!timer) throw new Error('the test waits for something, and there is no timer');
        if (timer.due > start + longestMs) throw new Error('the test takes too much of the clock’s time');
        fire(timer);
      }
    },
  };
}
