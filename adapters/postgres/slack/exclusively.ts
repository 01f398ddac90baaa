import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Does nothing when another process does the same at this moment. @returns what `act` returns, or 0 */
export const exclusively = (db: Database, team: string, act: (trx: Database) => Promise<number>): Promise<number> =>
  db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ locked: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${`slack-notifications/${team}`}, 0)) as locked`.execute(trx);
    return rows[0]?.locked ? act(trx) : 0;
  });
