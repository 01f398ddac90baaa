import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { Chunking } from '../../contract/chunking.ts';
import type { Placement } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { DocumentToStore, FileOutcome, ParsedDocument } from '../../contract/ports/index.ts';
import { chunkingOf } from './collections.ts';
import { recordChanges } from './document-changes.ts';
import { removeUnusedFiles } from './files.ts';
import { recordFileOutcome } from './ingestion-outcomes.ts';
import { isReadable } from './readable.ts';
import { replaceChunks } from './replace-chunks.ts';
import { resolvePlacement } from './resolve-placement.ts';

type File = DocumentToStore['file'];
/** Whether the text of pictures is read. */
export type Recognising = { recognises: boolean };
type Reading = Recognising & { chunking: Chunking };
type Stored = Extract<FileOutcome, { documentId: string }>;

/**
 * Adds or replaces a document. The file is parsed before the transaction, so no lock is held while a parser runs.
 *
 * @throws AlfredError `file_name_taken`, `not_found`, and what `parse` throws
 */
export async function putDocument(
  db: Database,
  scope: Scope,
  { file, parse, placement: target, upload, recognises }: DocumentToStore & Recognising,
): Promise<FileOutcome> {
  const placement = await resolvePlacement(db, target);
  const chunking = await chunkingOf(db, scope.tenant, placement.collection);
  // When a folder is added again, most files are unchanged. Those are neither parsed nor locked.
  const known = await findStored(db, scope, file, placement);
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

/** @throws AlfredError `file_name_taken` when the document of that name is not the subject's to read, or to share */
async function findStored(db: Database, scope: Scope, { name, contentHash }: File, placement: Placement) {
  const { collection, readers } = placement;
  const document = await db
    .selectFrom('documents as d')
    .select([
      'id',
      'content_hash',
      'subject',
      'readers',
      'tags',
      'media_type',
      'unread_pictures',
      'chunk_tokens',
      'overlap_tokens',
      'updated_at',
      'origin',
    ])
    .select(isReadable(scope).as('readable'))
    .where('tenant', '=', scope.tenant)
    .where('collection', '=', collection)
    .where('name', '=', name)
    .executeTakeFirst();
  if (document && !document.readable)
    throw new AlfredError(
      'file_name_taken',
      `${name}: a document of that name is in the collection ${collection} already, and it is not yours to read. Choose another name or collection.`,
    );
  if (document && readers && document.subject !== scope.subject && !isSameSet(document.readers, readers))
    throw new AlfredError(
      'file_name_taken',
      `${name}: only its owner decides who may read it. Add it again without readers.`,
    );
  if (document && document.content_hash !== contentHash) refuseOtherOrigin(name, document.origin, placement);
  return document;
}

/** Two folders may hold files of the same name: one does not replace the other unless the sender says so. */
function refuseOtherOrigin(name: string, stored: string | null, { origin, replace }: Placement) {
  if (stored === null || origin === undefined || stored === origin || replace) return;
  throw new AlfredError(
    'file_name_taken',
    `${name}: a document of that name came from somewhere else (${stored}) and holds something else. Give this file another name (\`--prefix\`), or say that it takes the other's place (\`--replace\`).`,
  );
}

const isSameSet = (a: string[], b: string[]) => JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

type Placed = { readers: string[]; tags: string[]; origin: string | null };

/** Whether a document's readers or tags differ from those that are asked for, or it moves to another origin. */
const isPlacedDifferently = (current: Placed, { readers, tags, origin, replace }: Placement) =>
  !isSameSet(current.readers, readers ?? current.readers) ||
  !isSameSet(current.tags, tags ?? current.tags) ||
  (replace === true && origin !== undefined && current.origin !== origin);

type StoredVersion = {
  content_hash: string;
  chunk_tokens: number;
  overlap_tokens: number;
  media_type: string;
  unread_pictures: boolean | null;
};

/** Whether a document has the file's content, cut in this way, with the text of its pictures if that is read now. */
const isUpToDate = (stored: StoredVersion, { contentHash }: File, { chunking, recognises }: Reading) =>
  stored.content_hash === contentHash &&
  stored.chunk_tokens === chunking.chunkTokens &&
  stored.overlap_tokens === chunking.overlapTokens &&
  // Of documents from before it is not known, so scans are looked for once.
  !(recognises && (stored.unread_pictures ?? stored.media_type === 'application/pdf'));

/** `chunking` is how `parsed` was cut. */
type Write = Reading & { file: File; parsed: ParsedDocument | undefined; placement: Placement };

/** @returns undefined when `parsed` is missing and is needed */
async function writeDocument(
  trx: Database,
  scope: Scope,
  { file, parsed, chunking, recognises, placement }: Write,
): Promise<Stored | undefined> {
  const { collection, readers, tags, origin, replace } = placement;
  // One writer at a time for each name. An advisory lock also works for a new name, which has no row to lock.
  const lock = JSON.stringify([scope.tenant, collection, file.name]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(trx);
  const before = await findStored(trx, scope, file, placement);
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
