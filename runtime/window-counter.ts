import { LRUCache } from 'lru-cache';
import type { LimitName, Quota } from '../contract/rules/request-limits.ts';

/** The most keys that are counted. A flood from more addresses than this forgets the ones seen longest ago. */
const mostKeys = 50_000;

type Options = { limit: LimitName; most: number; windowMs: number; now?: () => number };

/**
 * Counts in windows, in the memory of this process. The memory is bounded and there is no timer for each key, unlike in
 * `RateLimiterMemory`: a stranger chooses the keys.
 */
export function createWindowCounter({ limit, most, windowMs, now = Date.now }: Options) {
  const windows = new LRUCache<string, { used: number; endsAt: number }>({ max: mostKeys });
  return {
    take(key: string): Quota {
      const at = now();
      let window = windows.get(key);
      if (!window || window.endsAt <= at) {
        window = { used: 0, endsAt: at + windowMs };
        windows.set(key, window);
      }
      window.used++;
      const left = Math.max(0, most - window.used);
      return { limit, most, left, resetMs: window.endsAt - at, isExceeded: window.used > most };
    },
  };
}
