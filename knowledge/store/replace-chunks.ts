import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Chunk, ParsedDocument } from '../../contract/ports/index.ts';
import { lockVectors } from './document-changes.ts';

/** Vectors of texts that no chunk of the tenant holds any more. */
export async function dropVectors(tx: Database, tenant: string, hashes: string[]): Promise<void> {
  if (hashes.length === 0) return;
  await lockVectors(tx);
  await sql`
    delete from embeddings e where e.tenant = ${tenant} and e.hash = any(${hashes}) and not exists (
      select from chunks c join documents d on d.id = c.document_id where c.embed_hash = e.hash and d.tenant = e.tenant
    )`.execute(tx);
}

/** A chunk that says the same as before under the same headings stays the same row, wherever it has moved. */
export async function replaceChunks(
  tx: Database,
  { tenant, documentId }: { tenant: string; documentId: string },
  { text: whole, chunks }: ParsedDocument,
): Promise<void> {
  const times = new Map<string, number>();
  const rows = chunks.map(({ headingPath, page, text, start, end }, ordinal) => {
    const hash = createHash('sha256')
      .update(JSON.stringify([headingPath, text]))
      .digest('hex')
      .slice(0, 16);
    const time = (times.get(hash) ?? 0) + 1;
    times.set(hash, time);
    const id = `${documentId}.${hash}${time > 1 ? `.${time}` : ''}`;
    const gap = gapBetween(whole, chunks[ordinal - 1], start);
    return { id, ordinal, heading_path: headingPath, page, text, start_at: start, end_at: end, gap };
  });
  const { rows: gone } = await sql<{ embed_hash: string }>`
    delete from chunks where document_id = ${documentId} and id <> all(${rows.map(({ id }) => id)}::text[]) returning embed_hash`.execute(
    tx,
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
    tx,
  );
  await dropVectors(
    tx,
    tenant,
    gone.map(({ embed_hash }) => embed_hash),
  );
}

/**
 * A search shows two neighbours as one passage, which must be word for word what stands in the document. Between one and the
 * next that begins with its end there is nothing.
 */
function gapBetween(text: string, before: Chunk | undefined, start: number): string | null {
  const gap = before && text.slice(before.end, start);
  return gap !== undefined && gap.length <= 8 && gap.trim() === '' ? gap : null;
}
