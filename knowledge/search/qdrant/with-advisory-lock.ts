import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Says that the lock is still ours. To be called before each request of another system, which may take its time. */
type StillHeld = () => Promise<void>;

/**
 * Does work that one process does at a time. The lock is Postgres', and goes with its transaction: whoever dies leaves it
 * to the next. Statements of the work see what others did before.
 */
export const withAdvisoryLock = <T>(
  db: Database,
  name: string,
  work: (tx: Database, stillHeld: StillHeld) => Promise<T>,
): Promise<T> =>
  db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
    // A statement also keeps the connection from being closed as an idle one.
    return work(tx, async () => void (await sql`select 1`.execute(tx)));
  });
