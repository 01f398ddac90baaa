import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { Placement } from '../../../contract/documents.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Block, FileOutcome, ParsedDocument, PendingFile, UploadRef } from '../../ports.ts';
import { lockVectors, recordChanges } from './document-changes.ts';
import { removeUnusedFiles } from './files.ts';
import { settle } from './ingestions.ts';
import { isReadable } from './readable.ts';

type File = Omit<PendingFile, 'ordinal'>;
type Options = { parse: () => Promise<ParsedDocument>; placement: Placement; upload: UploadRef | undefined };
type Stored = Extract<FileOutcome, { documentId: string }>;

/** See the port. */
export async function putDocument(
  db: Database,
  scope: Scope,
  file: File,
  { parse, placement, upload }: Options,
): Promise<FileOutcome> {
  // Most files of a folder that is added again are what they were; those are neither parsed nor locked.
  const known = await stored(db, scope, file.name, placement);
  let parsed = known?.content_hash === file.contentHash ? undefined : await parse();
  for (;;) {
    const outcome = await db.transaction().execute(async (tx) => {
      const written =
        known && !parsed && !isMoved(known, placement)
          ? ({ state: 'unchanged', documentId: known.id } as const)
          : await write(tx, scope, file, { parsed, placement });
      if (!written) return undefined;
      if (upload) await settle(tx, scope, upload, written);
      if (written.state !== 'unchanged') await recordChanges(tx, [{ tenant: scope.tenant, id: written.documentId }]);
      return written;
    });
    if (outcome) return outcome;
    // Somebody replaced it meanwhile.
    parsed ??= await parse();
  }
}

async function stored(db: Database, scope: Scope, name: string, { collection, readers }: Placement) {
  const found = await db
    .selectFrom('documents as d')
    .select(['id', 'content_hash', 'subject', 'readers', 'tags', isReadable(scope).as('readable')])
    .where('tenant', '=', scope.tenant)
    .where('collection', '=', collection)
    .where('name', '=', name)
    .executeTakeFirst();
  if (found && !found.readable)
    throw new AlfredError(
      'file_name_taken',
      `${name}: a document of that name is in the collection ${collection} already, and it is not yours to read. Choose another name or collection.`,
    );
  if (found && readers && found.subject !== scope.subject && !isSame(found.readers, readers))
    throw new AlfredError(
      'file_name_taken',
      `${name}: only its owner decides who may read it. Add it again without readers.`,
    );
  return found;
}

const isSame = (a: string[], b: string[]) => JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
const isMoved = (now: { readers: string[]; tags: string[] }, { readers, tags }: Placement) =>
  !isSame(now.readers, readers ?? now.readers) || !isSame(now.tags, tags ?? now.tags);

/** @returns undefined when the document must be parsed after all */
async function write(
  tx: Database,
  scope: Scope,
  file: File,
  { parsed, placement }: { parsed: ParsedDocument | undefined; placement: Placement },
): Promise<Stored | undefined> {
  const { collection, readers, tags } = placement;
  // One writer a name, also while there is no row yet that could be locked.
  const lock = JSON.stringify([scope.tenant, collection, file.name]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(tx);
  const before = await stored(tx, scope, file.name, placement);
  const moved = { ...(readers ? { readers } : {}), ...(tags ? { tags } : {}), updated_at: new Date() };
  if (before?.content_hash === file.contentHash) {
    if (!isMoved(before, placement)) return { state: 'unchanged', documentId: before.id };
    await tx.updateTable('documents').set(moved).where('id', '=', before.id).execute();
    return { state: 'replaced', documentId: before.id };
  }
  if (!parsed) return undefined;
  const columns = {
    title: parsed.title,
    media_type: file.mediaType,
    content_hash: file.contentHash,
    size_bytes: file.sizeBytes,
    text: parsed.text,
    characters: parsed.text.length,
    chunk_count: parsed.chunks.length,
    language: parsed.language,
    ...moved,
  };
  const id = before?.id ?? newId();
  if (before) {
    const version = sql<number>`version + 1`;
    await tx
      .updateTable('documents')
      .set({ ...columns, version })
      .where('id', '=', id)
      .execute();
    await removeUnusedFiles(tx, scope.tenant, [before.content_hash]);
  } else {
    const { tenant, subject } = scope;
    await tx
      .insertInto('documents')
      .values({ id, tenant, subject, collection, name: file.name, ...columns, created_at: columns.updated_at })
      .execute();
  }
  await replaceChunks(tx, { tenant: scope.tenant, documentId: id }, parsed);
  return { state: before ? 'replaced' : 'added', documentId: id };
}

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
async function replaceChunks(
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

/** A search shows two neighbours as one passage, which must be word for word what stands in the document. */
function gapBetween(text: string, before: Block | undefined, start: number): string | null {
  const gap = before && text.slice(before.end, start);
  return gap !== undefined && gap.length <= 8 && gap.trim() === '' ? gap : null;
}
