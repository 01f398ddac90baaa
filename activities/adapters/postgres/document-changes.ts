import { sql } from 'kysely';
import type { Database } from '../../../runtime/postgres.ts';

/** The one lock of this key space; see `recordChange`. */
const changesLock = [1, 1] as const;

/** Notes a change of one document. */
export const recordChange = (tx: Database, tenant: string, documentId: string): Promise<void> =>
  recordChanges(tx, tenant, [documentId]);

/**
 * Notes that documents are other than before, for the search indexes that follow. Only the newest change of each is kept.
 *
 * To be the last statement of its transaction: the lock that is held until the end makes sequence numbers visible in
 * their order, so an index that has seen number n misses none below it.
 */
export async function recordChanges(tx: Database, tenant: string, documentIds: string[]): Promise<void> {
  if (documentIds.length === 0) return;
  await sql`select pg_advisory_xact_lock(${changesLock[0]}, ${changesLock[1]})`.execute(tx);
  await sql`delete from document_changes where document_id = any(${documentIds})`.execute(tx);
  await sql`
    insert into document_changes (tenant, document_id) select ${tenant}, unnest(${documentIds}::uuid[])`.execute(tx);
}
