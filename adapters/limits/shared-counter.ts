import { createHash } from 'node:crypto';
import { CompiledQuery } from 'kysely';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { LimitName, Quota } from '../../contract/rules/request-limits.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';

/** A process takes this part of a limit at once, and then counts by itself: not every request writes a row. */
const shareOfBatch = 1 / 50;
/** How long a request waits for the count. */
const timeoutMs = 250;
/** The most keys of which this process has some requests left to give out. */
const mostKeys = 10_000;

/** What this process may give out of a limit until `endsAt`, and what was left for all when it was taken. */
type Batch = { left: number; leftInStore: number; endsAt: number };

type Options = {
  limit: LimitName;
  most: number;
  windowMs: number;
  db: Database;
  /** The count in the database could not be reached; this process counts for itself. */
  onFailure: (error: unknown) => void;
};

/**
 * Counts in windows, in Postgres, for all processes.
 *
 * A migration makes the table, and the sweep deletes its old rows. Keys are hashes: no names of people stand there.
 */
export function createSharedCounter({ limit, most, windowMs, db, onFailure }: Options) {
  const batch = Math.max(1, Math.floor(most * shareOfBatch));
  const batches = new LRUCache<string, Batch>({ max: mostKeys });
  const query = ({ text, values }: { text: string; values: unknown[] }) =>
    withTimeout(db.executeQuery(CompiledQuery.raw(text, values)), timeoutMs, () => {
      throw new Error(`Postgres did not count within ${timeoutMs} ms`);
    }).catch((error: unknown) => {
      onFailure(error);
      throw error;
    });
  const duration = windowMs / 1_000;
  const limiter = new RateLimiterPostgres({
    storeClient: { query },
    storeType: 'client',
    tableName: 'request_limits',
    tableCreated: true,
    clearExpiredByTimeout: false,
    keyPrefix: limit,
    points: most,
    duration,
    inMemoryBlockOnConsumed: most,
    insuranceLimiter: new RateLimiterMemory({ keyPrefix: limit, points: most, duration }),
  });

  /** @returns undefined when nothing could count */
  async function takeBatch(key: string): Promise<RateLimiterRes | undefined> {
    try {
      return await limiter.consume(key, batch);
    } catch (outcome) {
      return outcome instanceof RateLimiterRes ? outcome : undefined;
    }
  }

  /** What is under way for a key: requests that come meanwhile wait for it and share what it brings. */
  const pending = new Map<string, Promise<Batch | undefined>>();

  async function fetchBatch(key: string): Promise<Batch | undefined> {
    const outcome = await takeBatch(key);
    if (!outcome) return undefined;
    const { remainingPoints, consumedPoints, msBeforeNext } = outcome;
    // Refused from memory, the count is not known.
    const isExceeded = consumedPoints === 0 || consumedPoints > most;
    const taken = {
      left: isExceeded ? 0 : batch,
      leftInStore: isExceeded ? 0 : remainingPoints,
      endsAt: Date.now() + msBeforeNext,
    };
    batches.set(key, taken);
    return taken;
  }

  return {
    async take(...names: string[]): Promise<Quota[]> {
      const key = createHash('sha256').update(JSON.stringify(names)).digest('base64url');
      let known = batches.get(key);
      // More requests may wait for a batch than it has.
      while (!known || known.left === 0 || Date.now() >= known.endsAt) {
        const taking = pending.get(key) ?? fetchBatch(key).finally(() => pending.delete(key));
        pending.set(key, taking);
        const taken = await taking;
        if (!taken) return [];
        known = batches.get(key) ?? taken;
        if (known.left === 0 && known.leftInStore === 0) break;
      }
      const { left, leftInStore, endsAt } = known;
      const resetMs = Math.max(0, endsAt - Date.now());
      if (left === 0) return [{ limit, most, left: 0, resetMs, isExceeded: true }];
      known.left--;
      return [{ limit, most, left: leftInStore + known.left, resetMs, isExceeded: false }];
    },
  };
}
