import { sql } from 'kysely';
import type { ContentHash, Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/** Stores a file's bytes under their hash. The row stays locked until the caller's transaction ends. */
export const insertFile = (trx: Database, tenant: string, hash: ContentHash, bytes: Uint8Array) =>
  trx
    .insertInto('files')
    .values({ tenant, hash, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
    .onConflict((conflict) => conflict.columns(['tenant', 'hash']).doUpdateSet({ created_at: new Date() }))
    .execute();

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
 * Deletes files that no document uses, that no running ingestion has to read, and that are not kept for a retry.
 *
 * The first statement locks the rows, the second one checks whether they are used. A transaction that is
 * storing the same bytes at this moment holds that lock, so the second statement sees what it wrote.
 */
export async function removeUnusedFiles(trx: Database, tenant: string, hashes: ContentHash[]): Promise<void> {
  if (hashes.length === 0) return;
  await sql`select from files where tenant = ${tenant} and hash = any(${hashes}) order by hash for update`.execute(trx);
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
      )`.execute(trx);
}
