import { sql } from 'kysely';
import type { ContentHash, Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/**
 * Stores a file's bytes under their hash.
 *
 * A row that is there already is updated only to lock it: `removeUnusedFiles` cannot delete it before this transaction
 * commits. No code reads `created_at`.
 */
export const storeFile = (trx: Database, tenant: string, hash: ContentHash, bytes: Uint8Array) =>
  trx
    .insertInto('files')
    .values({ tenant, hash, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
    .onConflict((conflict) => conflict.columns(['tenant', 'hash']).doUpdateSet({ created_at: new Date() }))
    .execute();

/** @returns undefined when the bytes are not stored, or no longer */
export async function readFile(db: Database, { tenant }: Scope, hash: ContentHash): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom('files')
    .select('bytes')
    .where('tenant', '=', tenant)
    .where('hash', '=', hash)
    .executeTakeFirst();
  return row?.bytes;
}

/**
 * Deletes those of the files that no document uses, that no running ingestion has to read, and that are not kept for a
 * retry.
 *
 * The first statement locks the rows. If another transaction is storing the same bytes, it has that lock, and the first
 * statement waits until it commits. The second statement then sees what that transaction wrote, and keeps the file.
 */
export async function removeUnusedFiles(trx: Database, tenant: string, hashes: ContentHash[]): Promise<void> {
  if (hashes.length === 0) return;
  // In the order of the hashes, so that two such calls do not deadlock.
  await sql`select from files where tenant = ${tenant} and hash = any(${hashes}) order by hash for update`.execute(trx);
  await sql`
    delete from files f where f.tenant = ${tenant} and f.hash = any(${hashes})
      and not exists (select from documents d where d.tenant = f.tenant and d.content_hash = f.hash)
      and not exists (
        select from ingestion_files pending join ingestions i on i.id = pending.ingestion_id
        where pending.content_hash = f.hash and pending.state = 'pending'
          and i.tenant = f.tenant and i.status = 'running'
      )
      and not exists (
        select from ingestion_files kept join ingestions i on i.id = kept.ingestion_id
        where kept.content_hash = f.hash and kept.kept and i.tenant = f.tenant
      )`.execute(trx);
}
