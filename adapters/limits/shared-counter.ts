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
  const batches = new LRUCache<string, { left: number; leftInStore: number; endsAt: number }>({ max: mostKeys });
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

  return {
    async take(...names: string[]): Promise<Quota[]> {
      const key = createHash('sha256').update(JSON.stringify(names)).digest('base64url');
      const known = batches.get(key);
      const now = Date.now();
      if (known && known.left > 0 && now < known.endsAt) {
        known.left--;
        return [{ limit, most, left: known.leftInStore + known.left, resetMs: known.endsAt - now, isExceeded: false }];
      }
      const outcome = await takeBatch(key);
      if (!outcome) return [];
      const { remainingPoints, consumedPoints, msBeforeNext: resetMs } = outcome;
      // Refused from memory, the count is not known.
      const isExceeded = consumedPoints === 0 || consumedPoints > most;
      const left = isExceeded ? 0 : batch - 1;
      batches.set(key, { left, leftInStore: isExceeded ? 0 : remainingPoints, endsAt: now + resetMs });
      return [{ limit, most, left: left + (isExceeded ? 0 : remainingPoints), resetMs, isExceeded }];
    },
  };
}
