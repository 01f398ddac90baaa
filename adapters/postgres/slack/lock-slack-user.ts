import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/** To the end of the transaction: what ends a link and what makes one by an address come one after the other. */
export async function lockSlackUser(trx: Database, { team, userId }: { team: string; userId: string }): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`slack-links/${team}/${userId}`}, 0))`.execute(trx);
}
