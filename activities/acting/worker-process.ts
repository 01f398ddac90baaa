import { randomInt } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Temporal takes a worker for dead after 3 s without a heartbeat (workflows/policies.ts). In milliseconds. */
const longestPauseMs = 2_000;
const checkEveryMs = 500;
const mostRemembered = 1_000;
const largestId = 2 ** 47;

/** Tells a process that ended, or hung, from one that lives on and of which Temporal heard nothing. */
export type WorkerProcess = {
  /** Another one after each start. */
  id: number;
  /** Notes when the process stands still during this attempt. @returns ends that */
  watch(attempt: string): () => void;
  /** The process stood still for so long during this attempt that it was silent by its own fault. */
  stoodStill(attempt: string): boolean;
};

export function createWorkerProcess({ mostMs = longestPauseMs, everyMs = checkEveryMs } = {}): WorkerProcess {
  const stopped = new LRUCache<string, true>({ max: mostRemembered });
  return {
    id: randomInt(1, largestId),

    watch(attempt) {
      let seenAt = performance.now();
      const check = () => {
        const now = performance.now();
        if (now - seenAt > mostMs) stopped.set(attempt, true);
        seenAt = now;
      };
      const timer = setInterval(check, everyMs);
      return () => {
        clearInterval(timer);
        check();
      };
    },

    stoodStill: (attempt) => stopped.has(attempt),
  };
}
