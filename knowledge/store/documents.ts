import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Documents } from '../../contract/ports/index.ts';
import { recordChanges } from './document-changes.ts';
import { documentColumns, documentOf } from './document-row.ts';
import { removeUnusedFiles } from './files.ts';
import { createIngestions } from './ingestions.ts';
import { putDocument } from './put-document.ts';
import { isReadable } from './readable.ts';
import { dropVectors } from './replace-chunks.ts';

/** Documents and their chunks. A subject sees what it may read, and may replace and delete that. */
export const createDocuments = (db: Database): Documents => ({
  ...createIngestions(db),

  async list(scope, { limit, cursor, collection }) {
    let query = db
      .selectFrom('documents as d')
      .select(documentColumns)
      .where(isReadable(scope))
      .orderBy('name')
      .orderBy('collection')
      .limit(limit + 1);
    if (collection !== undefined) query = query.where('collection', '=', collection);
    if (cursor !== undefined) {
      const [name, of] = placeOf(cursor);
      query = query.where(sql<boolean>`(d.name, d.collection) > (${name}, ${of})`);
    }
    const rows = await query.execute();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { documents: page.map(documentOf), nextCursor: rows.length > limit && last ? cursorOf(last) : null };
  },

  async get(scope, documentId) {
    const row = await one(db, scope, documentId).select(documentColumns).executeTakeFirst();
    return row && documentOf(row);
  },

  async read(scope, documentId) {
    const row = await one(db, scope, documentId)
      .select([...documentColumns, 'text'])
      .executeTakeFirst();
    return row && { document: documentOf(row), text: row.text };
  },

  delete: (scope, documentId) =>
    db.transaction().execute(async (tx) => {
      const found = await one(tx, scope, documentId).select('content_hash').forUpdate().executeTakeFirst();
      if (!found) return false;
      const chunks = await tx.selectFrom('chunks').select('embed_hash').where('document_id', '=', documentId).execute();
      await tx.deleteFrom('documents').where('id', '=', documentId).execute();
      // Before the vectors, as whoever replaces a document has it: the other way round the two would wait for each other.
      await removeUnusedFiles(tx, scope.tenant, [found.content_hash]);
      await dropVectors(
        tx,
        scope.tenant,
        chunks.map(({ embed_hash }) => embed_hash),
      );
      await recordChanges(tx, [{ tenant: scope.tenant, id: documentId }]);
      return true;
    }),

  async listTenants() {
    const rows = await db.selectFrom('documents').select('tenant').distinct().orderBy('tenant').execute();
    return rows.map(({ tenant }) => tenant);
  },

  put: (scope, file, parse, where, upload) => putDocument(db, scope, file, { parse, where, upload }),
});

const one = (db: Database, scope: Scope, documentId: string) =>
  db
    .selectFrom('documents as d')
    .where('id', '=', isUuid(documentId) ? documentId : null)
    .where(isReadable(scope));

/** A page's cursor is the last document on it. */
const cursorOf = ({ name, collection }: { name: string; collection: string }) =>
  Buffer.from(JSON.stringify([name, collection])).toString('base64url');

function placeOf(cursor: string): [string, string] {
  try {
    const place = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown;
    if (Array.isArray(place) && place.length === 2) {
      const [name, collection] = place.map(String) as [string, string];
      if (cursorOf({ name, collection }) === cursor && !(name + collection).includes('\0')) return [name, collection];
    }
  } catch {
    // not one of ours
  }
  throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
}
