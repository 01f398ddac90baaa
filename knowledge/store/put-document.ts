import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { Chunking } from '../../contract/chunking.ts';
import type { Placement } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope, SourceRef } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { FileOutcome, ParsedDocument, PendingFile, UploadRef } from '../../contract/ports/index.ts';
import { chunkingOf } from './collections.ts';
import { recordChanges } from './document-changes.ts';
import { removeUnusedFiles } from './files.ts';
import { settle } from './ingestions.ts';
import { placementOf } from './placement-of.ts';
import { isReadable } from './readable.ts';
import { replaceChunks } from './replace-chunks.ts';

type File = Omit<PendingFile, 'ordinal'>;
type Options = {
  parse: (chunking: Chunking) => Promise<ParsedDocument>;
  where: Placement | SourceRef;
  upload: UploadRef | undefined;
};
type Stored = Extract<FileOutcome, { documentId: string }>;

/** See the port. */
export async function putDocument(
  db: Database,
  scope: Scope,
  file: File,
  { parse, where, upload }: Options,
): Promise<FileOutcome> {
  const placement = await placementOf(db, where);
  const chunking = await chunkingOf(db, scope.tenant, placement.collection);
  // Most files of a folder that is added again are what they were; those are neither parsed nor locked.
  const known = await stored(db, scope, file.name, placement);
  let parsed = known && isSameCut(known, file, chunking) ? undefined : await parse(chunking);
  for (;;) {
    const outcome = await db.transaction().execute(async (tx) => {
      const written =
        known && !parsed && !isMoved(known, placement)
          ? ({ state: 'unchanged', documentId: known.id } as const)
          : await write(tx, scope, file, { parsed, chunking, placement: await placementOf(tx, where, { lock: true }) });
      if (!written) return undefined;
      if (upload) await settle(tx, scope, upload, written);
      if (written.state !== 'unchanged') await recordChanges(tx, [{ tenant: scope.tenant, id: written.documentId }]);
      return written;
    });
    if (outcome) return outcome;
    // Somebody replaced it meanwhile.
    parsed ??= await parse(chunking);
  }
}

async function stored(db: Database, scope: Scope, name: string, { collection, readers }: Placement) {
  const found = await db
    .selectFrom('documents as d')
    .select(['id', 'content_hash', 'subject', 'readers', 'tags', 'chunk_tokens', 'overlap_tokens', 'updated_at'])
    .select(isReadable(scope).as('readable'))
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

type Cut = { content_hash: string; chunk_tokens: number; overlap_tokens: number };
const isSameCut = (now: Cut, { contentHash }: File, { chunkTokens, overlapTokens }: Chunking) =>
  now.content_hash === contentHash && now.chunk_tokens === chunkTokens && now.overlap_tokens === overlapTokens;

type Write = { parsed: ParsedDocument | undefined; chunking: Chunking; placement: Placement };

/**
 * @param how `chunking`: by what `parsed` was cut
 * @returns undefined when the document must be parsed after all
 */
async function write(
  tx: Database,
  scope: Scope,
  file: File,
  { parsed, chunking, placement }: Write,
): Promise<Stored | undefined> {
  const { collection, readers, tags } = placement;
  // One writer a name, also while there is no row yet that could be locked.
  const lock = JSON.stringify([scope.tenant, collection, file.name]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(tx);
  const before = await stored(tx, scope, file.name, placement);
  const moved = { ...(readers ? { readers } : {}), ...(tags ? { tags } : {}), updated_at: new Date() };
  if (before && isSameCut(before, file, chunking)) {
    if (!isMoved(before, placement)) return { state: 'unchanged', documentId: before.id };
    await tx.updateTable('documents').set(moved).where('id', '=', before.id).execute();
    return { state: 'replaced', documentId: before.id };
  }
  if (!parsed) return undefined;
  const isSameContent = before?.content_hash === file.contentHash;
  const columns = {
    title: parsed.title,
    media_type: file.mediaType,
    content_hash: file.contentHash,
    size_bytes: file.sizeBytes,
    text: parsed.text,
    characters: parsed.text.length,
    chunk_count: parsed.chunks.length,
    language: parsed.language,
    chunk_tokens: chunking.chunkTokens,
    overlap_tokens: chunking.overlapTokens,
    ...moved,
    // Cut anew it says what it said before.
    ...(before && isSameContent && !isMoved(before, placement) ? { updated_at: before.updated_at } : {}),
  };
  const id = before?.id ?? newId();
  if (before) {
    await tx
      .updateTable('documents')
      .set({ ...columns, ...(isSameContent ? {} : { version: sql<number>`version + 1` }) })
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
