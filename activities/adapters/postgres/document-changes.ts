import { sql } from 'kysely';
import type { Database } from '../../../runtime/postgres.ts';

/** The one lock of this key space; see `recordChange`. */
const changesLock = [1, 1] as const;

/**
 * Notes that a document is other than before, for the search indexes that follow. Only its newest change is kept.
 *
 * To be the last statement of its transaction: the lock that is held until the end makes sequence numbers visible in
 * their order, so an index that has seen number n misses none below it.
 */
export async function recordChange(tx: Database, tenant: string, documentId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${changesLock[0]}, ${changesLock[1]})`.execute(tx);
  await tx.deleteFrom('document_changes').where('document_id', '=', documentId).execute();
  await tx.insertInto('document_changes').values({ tenant, document_id: documentId }).execute();
}
