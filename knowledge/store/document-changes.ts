import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';

/** The locks of this key space; see `recordChanges` and `lockVectors`. Whoever takes both takes the vectors' first. */
const locks = { changes: [1, 1], vectors: [1, 2] } as const;

const lock = (tx: Database, [space, key]: readonly [number, number]) =>
  sql`select pg_advisory_xact_lock(${space}, ${key})`.execute(tx);

type Changed = { tenant: string; id: string };

/**
 * Notes that documents are other than before, for the search indexes that follow. Only a document's newest change is kept.
 *
 * To be the last statement of its transaction: the lock that is held until the end makes sequence numbers visible in
 * their order, so an index that has seen number n misses none below it.
 */
export async function recordChanges(tx: Database, documents: Changed[]): Promise<void> {
  if (documents.length === 0) return;
  await lock(tx, locks.changes);
  // Arrays, since a source may have more documents than a statement may have parameters.
  const [tenants, ids] = [documents.map(({ tenant }) => tenant), documents.map(({ id }) => id)];
  await sql`delete from document_changes where document_id = any(${ids}::uuid[])`.execute(tx);
  await sql`
    insert into document_changes (tenant, document_id) select * from unnest(${tenants}::text[], ${ids}::uuid[])`.execute(
    tx,
  );
}

/**
 * Until the end of the transaction no other one drops vectors, or says that a document has all of its own: what the one
 * looks at the other may be about to change.
 */
export const lockVectors = (tx: Database) => lock(tx, locks.vectors);
