import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/**
 * Does work that may take hours under a name that nobody else uses. Others see by `isLeased` that somebody is at it; whoever
 * dies is so no more. Takes a connection of the database for as long.
 *
 * @param work is told to stop when the lease is lost
 * @param pingMs well below the time that the database lets a transaction idle
 */
export const withLease = <T>(
  db: Database,
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
  pingMs = 10_000,
): Promise<T> =>
  db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
    const lost = new AbortController();
    let pinged: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      pinged = sql`select 1`.execute(tx).catch((cause: unknown) => {
        lost.abort(new AlfredError('database_unavailable', 'The lock on the work was lost.', { cause }));
      });
    }, pingMs);
    try {
      return await work(lost.signal);
    } finally {
      clearInterval(timer);
      await pinged;
    }
  });

/** Whether somebody is at it. If not, nobody begins before the transaction ends. */
export async function isLeased(tx: Database, name: string): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as taken`.execute(tx);
  return rows[0]?.taken === false;
}
