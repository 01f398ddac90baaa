import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Chunk, ParsedDocument } from '../../contract/ports/index.ts';
import { lockVectors } from './document-changes.ts';

/** Deletes those of the given vectors whose text is in no chunk of the tenant any more. */
export async function deleteUnusedVectors(trx: Database, tenant: string, hashes: string[]): Promise<void> {
  if (hashes.length === 0) return;
  await lockVectors(trx);
  await sql`
    delete from embeddings e where e.tenant = ${tenant} and e.hash = any(${hashes}) and not exists (
      select from chunks c join documents d on d.id = c.document_id where c.embed_hash = e.hash and d.tenant = e.tenant
    )`.execute(trx);
}

/**
 * Replaces the chunks of a document. A chunk's id is a hash of its headings
 * and text, so a chunk that only moves keeps its row and its vector.
 */
export async function replaceChunks(
  trx: Database,
  { tenant, documentId }: { tenant: string; documentId: string },
  { text: documentText, chunks }: ParsedDocument,
): Promise<void> {
  const countByHash = new Map<string, number>();
  const rows = chunks.map(({ headingPath, page, text, start, end }, ordinal) => {
    const hash = createHash('sha256')
      .update(JSON.stringify([headingPath, text]))
      .digest('hex')
      .slice(0, 16);
    const count = (countByHash.get(hash) ?? 0) + 1;
    countByHash.set(hash, count);
    const id = `${documentId}.${hash}${count > 1 ? `.${count}` : ''}`;
    const gap = gapBetween(documentText, chunks[ordinal - 1], start);
    return { id, ordinal, heading_path: headingPath, page, text, start_at: start, end_at: end, gap };
  });
  const { rows: deleted } = await sql<{ embed_hash: string }>`
    delete from chunks where document_id = ${documentId} and id <> all(${rows.map(({ id }) => id)}::text[]) returning embed_hash`.execute(
    trx,
  );
  await sql`
    with incoming as (
      select * from json_to_recordset(${JSON.stringify(rows)})
        as c (id text, ordinal integer, heading_path text[], page integer, text text, start_at integer, end_at integer, gap text)
    )
    insert into chunks as c (id, document_id, ordinal, heading_path, page, text, start_at, end_at, gap)
    select id, ${documentId}, ordinal, heading_path, page, text, start_at, end_at, gap from incoming
    on conflict (id) do update
      set ordinal = excluded.ordinal, page = excluded.page, start_at = excluded.start_at, end_at = excluded.end_at,
        gap = excluded.gap
      where (c.ordinal, c.page, c.start_at, c.end_at, c.gap)
        is distinct from (excluded.ordinal, excluded.page, excluded.start_at, excluded.end_at, excluded.gap)`.execute(
    trx,
  );
  await deleteUnusedVectors(
    trx,
    tenant,
    deleted.map(({ embed_hash }) => embed_hash),
  );
}

/**
 * The white space between a chunk and the one before it. A search joins neighbouring chunks with it into one passage,
 * which has to be an exact part of the document. Null when the chunks are not neighbours; empty when they overlap.
 */
function gapBetween(text: string, before: Chunk | undefined, start: number): string | null {
  const gap = before && text.slice(before.end, start);
  return gap !== undefined && gap.length <= 8 && gap.trim() === '' ? gap : null;
}
