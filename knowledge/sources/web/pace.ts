import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { createSemaphore } from '../../../runtime/semaphore.ts';

/** Requests to one host at once, of this process. */
const atOnce = 2;
/** Hosts that are remembered; the rest have not been asked for longest. */
const maxHosts = 1_000;

/** Lets requests through at a pace that a host can bear. */
export function createPace() {
  const hosts = new LRUCache<string, { withSlot: ReturnType<typeof createSemaphore>; nextAt: number }>({ max: maxHosts });
  const paceOf = (host: string) => {
    const known = hosts.get(host) ?? { withSlot: createSemaphore(atOnce), nextAt: 0 };
    hosts.set(host, known);
    return known;
  };

  /** @param delayMs what the host wants between two requests, in milliseconds */
  return function paced<T>(host: string, delayMs: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const pace = paceOf(host);
    return pace.withSlot(signal, async () => {
      const now = Date.now();
      const at = Math.max(now, pace.nextAt);
      pace.nextAt = at + delayMs;
      if (at > now) await sleep(at - now, undefined, { signal });
      return work();
    });
  };
}
export type Pace = ReturnType<typeof createPace>;
