import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/**
 * Throws when the lock is lost. Call it before each request to another system, because such a request may take long.
 */
export type ConfirmLock = () => Promise<void>;

/**
 * Runs `work` in one process at a time. The lock is an advisory lock of Postgres and ends with its transaction, so a
 * process that dies frees it for the next. Statements of `work` see what earlier holders of the lock committed.
 */
export const withAdvisoryLock = <T>(
  db: Database,
  name: string,
  work: (trx: Database, confirmLock: ConfirmLock) => Promise<T>,
): Promise<T> =>
  db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
    const confirmLock = async () => {
      // The statement also keeps the database from closing the connection as idle.
      await sql`select 1`.execute(trx);
    };
    return work(trx, confirmLock);
  });
