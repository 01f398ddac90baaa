import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { DocumentToStore, FileOutcome, ParsedDocument } from '../../contract/ports/index.ts';
import { chunkingOf } from './collections.ts';
import { recordChanges } from './document-changes.ts';
import { removeUnusedFiles } from './files.ts';
import { recordFileOutcome } from './ingestion-outcomes.ts';
import { replaceChunks } from './replace-chunks.ts';
import { resolvePlacement } from './resolve-placement.ts';
import { findStored, isPlacedDifferently, isUpToDate, type Recognising, type Sent } from './stored-document.ts';

type Stored = Extract<FileOutcome, { documentId: string }>;

/**
 * Adds or replaces a document. The file is parsed before the transaction, so no lock is held while a parser runs.
 *
 * @throws AlfredError `document_not_yours`, `file_name_taken`, `not_found`, and what `parse` throws
 */
export async function putDocument(
  db: Database,
  scope: Scope,
  { file, parse, placement: target, upload, recognises }: DocumentToStore & Recognising,
): Promise<FileOutcome> {
  const placement = await resolvePlacement(db, target);
  const chunking = await chunkingOf(db, scope.tenant, placement.collection);
  // When a folder is added again, most files are unchanged. Those are neither parsed nor locked.
  const known = await findStored(db, scope, { file, placement, chunking, recognises, upload });
  let parsed = known && isUpToDate(known, file, { chunking, recognises }) ? undefined : await parse(chunking);
  while (true) {
    const outcome = await db.transaction().execute(async (trx) => {
      const written =
        known && !parsed && !isPlacedDifferently(known, placement)
          ? ({ state: 'unchanged', documentId: known.id } as const)
          : await writeDocument(trx, scope, {
              file,
              parsed,
              chunking,
              recognises,
              upload,
              placement: await resolvePlacement(trx, target, { lock: true }),
            });
      if (!written) return undefined;
      if (upload) await recordFileOutcome(trx, scope, upload, written);
      if (written.state !== 'unchanged') await recordChanges(trx, [{ tenant: scope.tenant, id: written.documentId }]);
      return written;
    });
    if (outcome) return outcome;
    // Another writer has replaced the document meanwhile, so the file has to be parsed after all.
    parsed ??= await parse(chunking);
  }
}

/** `chunking` is how `parsed` was cut. */
type Write = Sent & { parsed: ParsedDocument | undefined };

/** @returns undefined when `parsed` is missing and is needed */
async function writeDocument(trx: Database, scope: Scope, write: Write): Promise<Stored | undefined> {
  const { file, parsed, chunking, recognises, placement } = write;
  const { collection, readers, tags, origin, replace } = placement;
  // One writer at a time for each name. An advisory lock also works for a new name, which has no row to lock.
  const lock = JSON.stringify([scope.tenant, collection, file.name]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(trx);
  const before = await findStored(trx, scope, write, { lock: true });
  // A file of the same content elsewhere does not move the document there.
  const movesTo = before?.content_hash === file.contentHash && !replace ? undefined : origin;
  const placementColumns = {
    ...(readers ? { readers } : {}),
    ...(tags ? { tags } : {}),
    ...(movesTo === undefined ? {} : { origin: movesTo }),
    updated_at: new Date(),
  };
  if (before && isUpToDate(before, file, { chunking, recognises })) {
    if (!isPlacedDifferently(before, placement)) return { state: 'unchanged', documentId: before.id };
    await trx.updateTable('documents').set(placementColumns).where('id', '=', before.id).execute();
    return { state: 'replaced', documentId: before.id };
  }
  if (!parsed) return undefined;
  // Another version of the parser may read another text from the same bytes. Offsets into it belong to a new version.
  const isSameText = before?.content_hash === file.contentHash && (await hasText(trx, before.id, parsed.text));
  const columns = {
    title: parsed.title,
    media_type: parsed.mediaType ?? file.mediaType,
    notice: parsed.notice ?? null,
    unread_pictures: parsed.unreadPictures ?? false,
    content_hash: file.contentHash,
    size_bytes: file.sizeBytes,
    text: parsed.text,
    characters: parsed.text.length,
    chunk_count: parsed.chunks.length,
    language: parsed.language,
    chunk_tokens: chunking.chunkTokens,
    overlap_tokens: chunking.overlapTokens,
    ...placementColumns,
    // Only re-chunked: keep `updated_at`, because the text is the same.
    ...(before && isSameText && !isPlacedDifferently(before, placement) ? { updated_at: before.updated_at } : {}),
  };
  const id = before?.id ?? newId();
  if (before) {
    await trx
      .updateTable('documents')
      .set({ ...columns, ...(isSameText ? {} : { version: sql<number>`version + 1` }) })
      .where('id', '=', id)
      .execute();
    await removeUnusedFiles(trx, scope.tenant, [before.content_hash]);
  } else {
    const { tenant, subject } = scope;
    await trx
      .insertInto('documents')
      .values({ id, tenant, subject, collection, name: file.name, ...columns, created_at: columns.updated_at })
      .execute();
  }
  await replaceChunks(trx, { tenant: scope.tenant, documentId: id }, parsed);
  return { state: before ? 'replaced' : 'added', documentId: id };
}

async function hasText(db: Database, documentId: string, text: string): Promise<boolean> {
  const row = await db
    .selectFrom('documents')
    .select(sql<string>`md5(text)`.as('hash'))
    .where('id', '=', documentId)
    .executeTakeFirst();
  return row?.hash === createHash('md5').update(text).digest('hex');
}
