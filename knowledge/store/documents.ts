import { sql } from 'kysely';
import { MAX as lastUuid, validate as isUuid } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import type { DocumentReach, Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Documents } from '../../contract/ports/index.ts';
import { recordChanges } from './document-changes.ts';
import { documentColumns, documentOf } from './document-row.ts';
import { readFile, removeUnusedFiles } from './files.ts';
import { createIngestions } from './ingestions.ts';
import { putDocument } from './put-document.ts';
import { isReadable, isWithinReach } from './readable.ts';
import { deleteUnusedVectors } from './replace-chunks.ts';

/**
 * Documents and their chunks. A subject replaces and deletes its own, and others as far as it reaches.
 *
 * @param options.recognises whether the text of pictures is read: documents whose pictures were not are read again
 */
export const createDocuments = (db: Database, { recognises = false } = {}): Documents => ({
  ...createIngestions(db),

  async list(scope, { limit, cursor, collection }) {
    let query = db
      .selectFrom('documents as d')
      .select(documentColumns)
      .where(isReadable(scope))
      .orderBy('name')
      .orderBy('collection')
      .orderBy('id')
      .limit(limit + 1);
    if (collection !== undefined) query = query.where('collection', '=', collection);
    if (cursor !== undefined) {
      const after = parseCursor(cursor);
      query = query.where(
        sql<boolean>`(d.name, d.collection, d.id) > (${after.name}, ${after.collection}, ${after.id}::uuid)`,
      );
    }
    const rows = await query.execute();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { documents: page.map(documentOf), nextCursor: rows.length > limit && last ? cursorOf(last) : null };
  },

  async get(scope, documentId) {
    const row = await readableDocument(db, scope, documentId).select(documentColumns).executeTakeFirst();
    return row && documentOf(row);
  },

  async read(scope, documentId) {
    const row = await readableDocument(db, scope, documentId)
      .select([...documentColumns, 'text'])
      .executeTakeFirst();
    return row && { document: documentOf(row), text: row.text };
  },

  async readOriginal(scope, documentId) {
    const row = await readableDocument(db, scope, documentId).select(documentColumns).executeTakeFirst();
    return row && { document: documentOf(row), bytes: await readFile(db, scope, row.content_hash) };
  },

  async findByName(scope, name) {
    // Postgres refuses texts with a zero character, and no name has one.
    if (name.includes('\0')) return [];
    const rows = await db
      .selectFrom('documents as d')
      .select(documentColumns)
      .where('d.tenant', '=', scope.tenant)
      .where('name', '=', name)
      .where(isReadable(scope))
      .orderBy('updated_at', 'desc')
      .limit(10)
      .execute();
    return rows.map(documentOf);
  },

  delete: (reach, documentId) => db.transaction().execute((trx) => deleteDocument(trx, reach, documentId)),

  async listTenants() {
    const rows = await db.selectFrom('documents').select('tenant').distinct().orderBy('tenant').execute();
    return rows.map(({ tenant }) => tenant);
  },

  put: (scope, document) => putDocument(db, scope, { ...document, recognises }),
});

async function deleteDocument(trx: Database, reach: DocumentReach, documentId: string): Promise<boolean> {
  const { tenant } = reach;
  const document = await documentWithId(trx, documentId)
    .where(isWithinReach(reach))
    .select('content_hash')
    .forUpdate()
    .executeTakeFirst();
  if (!document) return false;
  const chunks = await trx.selectFrom('chunks').select('embed_hash').where('document_id', '=', documentId).execute();
  await trx.deleteFrom('documents').where('id', '=', documentId).execute();
  // Files before vectors, the order in which `putDocument` locks them. The other order could deadlock.
  await removeUnusedFiles(trx, tenant, [document.content_hash]);
  await deleteUnusedVectors(
    trx,
    tenant,
    chunks.map(({ embed_hash }) => embed_hash),
  );
  await recordChanges(trx, [{ tenant, id: documentId }]);
  return true;
}

const documentWithId = (db: Database, documentId: string) =>
  db.selectFrom('documents as d').where('id', '=', isUuid(documentId) ? documentId : null);

const readableDocument = (db: Database, scope: Scope, documentId: string) =>
  documentWithId(db, documentId).where(isReadable(scope));

/** The last document of a page. Two owners may have documents of one name in a collection. */
type Position = { name: string; collection: string; id: string };

const cursorOf = ({ name, collection, id }: Position) =>
  Buffer.from(JSON.stringify([name, collection, id])).toString('base64url');

/** @throws AlfredError `invalid_request` when `cursorOf` cannot have made the cursor */
function parseCursor(cursor: string): Position {
  const parts = parseJson(Buffer.from(cursor, 'base64url').toString());
  // A cursor of the version before has no id: its page ended with the only document of that name.
  const [name, collection, id = lastUuid, ...rest] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (
    typeof name === 'string' &&
    typeof collection === 'string' &&
    typeof id === 'string' &&
    isUuid(id) &&
    rest.length === 0
  ) {
    // Postgres refuses texts with a zero character.
    if (Buffer.from(JSON.stringify(parts)).toString('base64url') === cursor && !(name + collection).includes('\0'))
      return { name, collection, id };
  }
  throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
}
