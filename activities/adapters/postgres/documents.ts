import { sql } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Documents, FileOutcome, ParsedDocument, PendingFile } from '../../ports.ts';
import { recordChange } from './document-changes.ts';
import { documentColumns, documentOf } from './document-row.ts';
import { removeUnusedFiles } from './files.ts';
import { createIngestions, settle } from './ingestions.ts';

type File = Omit<PendingFile, 'ordinal'>;

/** Documents and their chunks. A tenant shares them; the subject is who added or last replaced one. */
export const createDocuments = (db: Database): Documents => ({
  ...createIngestions(db),

  async list({ tenant }, { limit, cursor }) {
    let query = db
      .selectFrom('documents')
      .select(documentColumns)
      .where('tenant', '=', tenant)
      .orderBy('name')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('name', '>', nameOf(cursor));
    const rows = await query.execute();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { documents: page.map(documentOf), nextCursor: rows.length > limit && last ? cursorOf(last.name) : null };
  },

  async get({ tenant }, documentId) {
    if (!isUuid(documentId)) return undefined;
    const row = await db
      .selectFrom('documents')
      .select(documentColumns)
      .where('tenant', '=', tenant)
      .where('id', '=', documentId)
      .executeTakeFirst();
    return row && documentOf(row);
  },

  async read({ tenant }, documentId) {
    if (!isUuid(documentId)) return undefined;
    const row = await db
      .selectFrom('documents')
      .select([...documentColumns, 'text'])
      .where('tenant', '=', tenant)
      .where('id', '=', documentId)
      .executeTakeFirst();
    return row && { document: documentOf(row), text: row.text };
  },

  delete: ({ tenant }, documentId) =>
    db.transaction().execute(async (tx) => {
      if (!isUuid(documentId)) return false;
      const deleted = await tx
        .deleteFrom('documents')
        .where('tenant', '=', tenant)
        .where('id', '=', documentId)
        .returning('content_hash')
        .executeTakeFirst();
      if (!deleted) return false;
      await removeUnusedFiles(tx, tenant, [deleted.content_hash]);
      await recordChange(tx, tenant, documentId);
      return true;
    }),

  async put(scope, file, parse, upload) {
    // Most files of a folder that is added again are what they were; those are neither parsed nor locked.
    const known = await stored(db, scope, file.name).executeTakeFirst();
    const parsed = known?.content_hash === file.contentHash ? undefined : await parse();
    return db.transaction().execute(async (tx) => {
      const outcome: FileOutcome =
        known && !parsed
          ? { state: 'unchanged', documentId: known.id }
          : await write(tx, scope, file, parsed as ParsedDocument);
      if (upload) await settle(tx, scope, upload, outcome);
      if (outcome.state === 'added' || outcome.state === 'replaced')
        await recordChange(tx, scope.tenant, outcome.documentId);
      return outcome;
    });
  },
});

const stored = (db: Database, { tenant }: Scope, name: string) =>
  db.selectFrom('documents').select(['id', 'content_hash']).where('tenant', '=', tenant).where('name', '=', name);

async function write(
  tx: Database,
  scope: Scope,
  file: File,
  parsed: ParsedDocument,
): Promise<Extract<FileOutcome, { documentId: string }>> {
  // One writer a name, also while there is no row yet that could be locked.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${scope.tenant}\n${file.name}`}, 0))`.execute(tx);
  const before = await stored(tx, scope, file.name).forUpdate().executeTakeFirst();
  if (before?.content_hash === file.contentHash) return { state: 'unchanged', documentId: before.id };
  const columns = {
    subject: scope.subject,
    title: parsed.title,
    media_type: file.mediaType,
    content_hash: file.contentHash,
    size_bytes: file.sizeBytes,
    text: parsed.text,
    characters: parsed.text.length,
    chunk_count: parsed.chunks.length,
    updated_at: new Date(),
  };
  const id = before?.id ?? newId();
  if (before) {
    await tx.updateTable('documents').set(columns).where('id', '=', id).execute();
    await tx.deleteFrom('chunks').where('document_id', '=', id).execute();
    await removeUnusedFiles(tx, scope.tenant, [before.content_hash]);
  } else {
    await tx
      .insertInto('documents')
      .values({ id, tenant: scope.tenant, name: file.name, ...columns, created_at: columns.updated_at })
      .execute();
  }
  await insertChunks(tx, id, file.contentHash, parsed);
  return { state: before ? 'replaced' : 'added', documentId: id };
}

/** All chunks in one statement. Their ids say which version of the document they are of. */
async function insertChunks(
  tx: Database,
  documentId: string,
  contentHash: string,
  { chunks }: ParsedDocument,
): Promise<void> {
  const rows = chunks.map(({ headingPath, page, text, start, end }, ordinal) => ({
    id: `${documentId}.${contentHash.slice(0, 8)}.${ordinal}`,
    ordinal,
    heading_path: headingPath,
    page,
    text,
    start_at: start,
    end_at: end,
  }));
  await sql`
    insert into chunks (id, document_id, ordinal, heading_path, page, text, start_at, end_at)
    select c.id, ${documentId}, c.ordinal, c.heading_path, c.page, c.text, c.start_at, c.end_at
    from json_to_recordset(${JSON.stringify(rows)})
      as c (id text, ordinal integer, heading_path text[], page integer, text text, start_at integer, end_at integer)`.execute(
    tx,
  );
}

/** A page's cursor is the last name on it. */
const cursorOf = (name: string) => Buffer.from(name).toString('base64url');

function nameOf(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  if (cursorOf(name) !== cursor || name.includes('\0'))
    throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
  return name;
}
