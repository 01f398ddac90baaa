import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';

/** Stores a file's bytes under their hash, inside the caller's transaction; its row stays locked until that ends. */
export const insertFile = (tx: Database, tenant: string, hash: string, bytes: Uint8Array) =>
  tx
    .insertInto('files')
    .values({ tenant, hash, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
    .onConflict((conflict) => conflict.columns(['tenant', 'hash']).doUpdateSet({ created_at: new Date() }))
    .execute();

/**
 * Removes files that no document has, no running ingestion waits for, and no retry may need.
 *
 * The rows are locked first and looked at in a second statement: an upload of the same bytes that is being stored at
 * this moment holds the lock, and what it wrote is seen afterwards.
 */
export async function removeUnusedFiles(tx: Database, tenant: string, hashes: string[]): Promise<void> {
  if (hashes.length === 0) return;
  await sql`select from files where tenant = ${tenant} and hash = any(${hashes}) order by hash for update`.execute(tx);
  await sql`
    delete from files f where f.tenant = ${tenant} and f.hash = any(${hashes})
      and not exists (select from documents d where d.tenant = f.tenant and d.content_hash = f.hash)
      and not exists (
        select from ingestion_files u join ingestions i on i.id = u.ingestion_id
        where u.content_hash = f.hash and u.state = 'pending' and i.tenant = f.tenant and i.status = 'running'
      )
      and not exists (
        select from ingestion_files u join ingestions i on i.id = u.ingestion_id
        where u.content_hash = f.hash and u.kept and i.tenant = f.tenant
      )`.execute(tx);
}
