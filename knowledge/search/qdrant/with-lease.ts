import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/**
 * Runs `work`, which may take hours, under a lease that no other process has. Others see it by `isLeased`. The lease
 * ends with the work or with the process. It occupies one database connection all the time.
 *
 * @param work   its signal aborts when the lease is lost
 * @param pingMs well below the time after which the database ends an idle transaction
 */
export const withLease = <T>(
  db: Database,
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
  pingMs = 10_000,
): Promise<T> =>
  db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
    const loss = new AbortController();
    let lastPing: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      lastPing = sql`select 1`.execute(trx).catch((cause: unknown) => {
        loss.abort(new AlfredError('database_unavailable', 'The lock on the work was lost.', { cause }));
      });
    }, pingMs);
    try {
      return await work(loss.signal);
    } finally {
      clearInterval(timer);
      await lastPing;
    }
  });

/** Whether another process has the lease. If none has it, none can get it before the transaction ends. */
export async function isLeased(trx: Database, name: string): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as taken`.execute(trx);
  return rows[0]?.taken === false;
}
