import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { createSemaphore } from '../../../runtime/semaphore.ts';

/** Concurrent requests of this process to one host. */
const maxConcurrent = 2;
/** Hosts whose state is kept. Those that were used least recently are dropped. */
const maxHosts = 1_000;

type HostState = { withSlot: ReturnType<typeof createSemaphore>; nextAt: number };

/** Limits how many requests go to one host at the same time, and how fast they follow each other. */
export function createHostThrottle() {
  const hosts = new LRUCache<string, HostState>({ max: maxHosts });
  const stateOf = (host: string) => {
    const state = hosts.get(host) ?? { withSlot: createSemaphore(maxConcurrent), nextAt: 0 };
    hosts.set(host, state);
    return state;
  };

  /** @param delayMs the least time between the starts of two requests to the host, in milliseconds */
  return function throttle<T>(host: string, delayMs: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const state = stateOf(host);
    return state.withSlot(signal, async () => {
      const now = Date.now();
      const startAt = Math.max(now, state.nextAt);
      state.nextAt = startAt + delayMs;
      if (startAt > now) await sleep(startAt - now, undefined, { signal });
      return work();
    });
  };
}
export type HostThrottle = ReturnType<typeof createHostThrottle>;
