import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';

/** Advisory locks: key space and key. A transaction that takes both takes `vectors` first, so none deadlock. */
const locks = { changes: [1, 1], vectors: [1, 2] } as const;

const lock = (trx: Database, [space, key]: readonly [number, number]) =>
  sql`select pg_advisory_xact_lock(${space}, ${key})`.execute(trx);

type ChangedDocument = { tenant: string; id: string };

/**
 * Records that documents were added, changed or deleted, for the
 * search indexes. Only a document's newest change is kept.
 *
 * Call it as the last statement of the transaction. Its lock is held until the commit, so sequence
 * numbers become visible in ascending order: an index that has seen number n has missed none below it.
 */
export async function recordChanges(trx: Database, documents: ChangedDocument[]): Promise<void> {
  if (documents.length === 0) return;
  await lock(trx, locks.changes);
  // Arrays, because a source may have more documents than a statement may have parameters.
  const [tenants, ids] = [documents.map(({ tenant }) => tenant), documents.map(({ id }) => id)];
  await sql`delete from document_changes where document_id = any(${ids}::uuid[])`.execute(trx);
  await sql`
    insert into document_changes (tenant, document_id) select * from unnest(${tenants}::text[], ${ids}::uuid[])`.execute(
    trx,
  );
}

/**
 * Lets one transaction at a time delete vectors or mark documents as
 * fully embedded. Each of the two reads what the other one changes.
 */
export const lockVectors = (trx: Database) => lock(trx, locks.vectors);
