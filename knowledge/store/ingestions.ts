import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import { ingestedStates, type Ingestion } from '../../contract/documents.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Documents, FileOutcome, UploadRef } from '../../contract/ports/index.ts';
import { hashOf } from '../../adapters/postgres/messages/contents.ts';
import { insertFile, removeUnusedFiles } from './files.ts';
import { ownedIngestions } from './owned-ingestions.ts';
import { forgetKeptFiles, retryIngestion } from './retry-ingestion.ts';

type Ingestions = Pick<
  Documents,
  | 'createIngestion'
  | 'retryIngestion'
  | 'deleteExpiredFiles'
  | 'getPlacement'
  | 'getIngestion'
  | 'listPendingFiles'
  | 'pendingSince'
  | 'readFile'
  | 'recordFileOutcome'
  | 'endIngestion'
  | 'listOpenIngestions'
>;

/** Uploads on their way in. Progress is counted from the rows, so it is right whoever wrote them, and however often. */
export const createIngestions = (db: Database): Ingestions => ({
  createIngestion: (scope, uploads, { collection, readers = null, tags = null }) =>
    db.transaction().execute(async (tx) => {
      const id = newId();
      const files = uploads.map((upload, ordinal) => ({ ...upload, ordinal, hash: hashOf(upload.bytes) }));
      // In the order of their hashes, so that two uploads of the same files never wait for each other.
      const distinct = new Map(files.map(({ hash, bytes }) => [hash, bytes]));
      for (const hash of [...distinct.keys()].sort())
        await insertFile(tx, scope.tenant, hash, distinct.get(hash) ?? new Uint8Array());
      await tx
        .insertInto('ingestions')
        .values({ id, ...scopeOf(scope), status: 'running', ended_at: null, collection, readers, tags })
        .execute();
      const rows = files.map(({ name, mediaType, bytes, ordinal, hash }) => ({
        ordinal,
        name,
        media_type: mediaType,
        content_hash: hash,
        size_bytes: bytes.length,
      }));
      await sql`
        insert into ingestion_files (ingestion_id, ordinal, name, media_type, content_hash, size_bytes, state)
        select ${id}, f.*, 'pending'
        from json_to_recordset(${JSON.stringify(rows)}) as f (ordinal integer, name text, media_type text, content_hash text, size_bytes integer)`.execute(
        tx,
      );
      return id;
    }),

  retryIngestion: (scope, ingestionId) => retryIngestion(db, scope, ingestionId),
  deleteExpiredFiles: (limit) => forgetKeptFiles(db, limit),

  async getPlacement(scope, ingestionId) {
    const { collection, readers, tags } = await ownedIngestions(db, scope, ingestionId)
      .select(['collection', 'readers', 'tags'])
      .executeTakeFirstOrThrow();
    return { collection, ...(readers ? { readers } : {}), ...(tags ? { tags } : {}) };
  },

  async getIngestion(scope, ingestionId) {
    const row = await ownedIngestions(db, scope, ingestionId).selectAll().executeTakeFirst();
    if (!row) return undefined;
    const counted = await db
      .selectFrom('ingestion_files')
      .select(['state', sql<number>`count(*)`.as('count')])
      .where('ingestion_id', '=', ingestionId)
      .groupBy('state')
      .execute();
    const failed = await db
      .selectFrom('ingestion_files')
      .select(['name', 'error_code', 'error_message'])
      .where('ingestion_id', '=', ingestionId)
      .where('state', '=', 'failed')
      .orderBy('ordinal')
      .execute();
    return {
      id: row.id,
      status: row.status as Ingestion['status'],
      files: counted.reduce((sum, { count }) => sum + count, 0),
      counts: Object.fromEntries(
        ingestedStates.map((state) => [state, counted.find((one) => one.state === state)?.count ?? 0]),
      ) as Ingestion['counts'],
      failures: failed.map(({ name, error_code, error_message }) => ({
        name,
        state: 'failed',
        documentId: null,
        error: { code: (error_code ?? 'internal') as ErrorCode, message: error_message ?? '' },
      })),
      retryOf: row.retry_of,
      createdAt: row.created_at.toISOString(),
      endedAt: row.ended_at?.toISOString() ?? null,
    };
  },

  async listPendingFiles(scope, ingestionId, limit) {
    const rows = await db
      .selectFrom('ingestion_files')
      .selectAll()
      .where('ingestion_id', 'in', ownedIngestions(db, scope, ingestionId).select('id'))
      .where('state', '=', 'pending')
      .orderBy('ordinal')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      ordinal: row.ordinal,
      name: row.name,
      mediaType: row.media_type,
      contentHash: row.content_hash,
      sizeBytes: row.size_bytes,
    }));
  },

  async pendingSince() {
    const row = await db
      .selectFrom('ingestions as i')
      .innerJoin('ingestion_files as f', 'f.ingestion_id', 'i.id')
      .select(({ fn }) => fn.min('i.created_at').as('since'))
      .where('f.state', '=', 'pending')
      .where('i.status', '=', 'running')
      .executeTakeFirst();
    return row?.since ?? undefined;
  },

  async readFile({ tenant }, hash) {
    const found = await db
      .selectFrom('files')
      .select('bytes')
      .where('tenant', '=', tenant)
      .where('hash', '=', hash)
      .executeTakeFirst();
    return found?.bytes;
  },

  recordFileOutcome: (scope, upload, outcome) => db.transaction().execute((tx) => settle(tx, scope, upload, outcome)),

  endIngestion: (scope, ingestionId, status, { keepFiles = true } = {}) =>
    db.transaction().execute(async (tx) => {
      const ended = await tx
        .updateTable('ingestions')
        .set({ status, ended_at: new Date() })
        .where('id', 'in', ownedIngestions(tx, scope, ingestionId).select('id'))
        .where('status', '=', 'running')
        .returning('id')
        .executeTakeFirst();
      if (!ended) return false;
      const left = await tx
        .updateTable('ingestion_files')
        .set({ kept: keepFiles })
        .where('ingestion_id', '=', ingestionId)
        .where('state', '=', 'pending')
        .returning('content_hash')
        .execute();
      if (!keepFiles)
        await removeUnusedFiles(tx, scope.tenant, [...new Set(left.map(({ content_hash }) => content_hash))]);
      return true;
    }),

  async listOpenIngestions({ olderThanMs, after, limit }) {
    let query = db
      .selectFrom('ingestions')
      .select(['id as ingestionId', 'tenant', 'subject', 'created_at as createdAt'])
      .where('status', '=', 'running')
      .where('created_at', '<', new Date(Date.now() - olderThanMs))
      .orderBy('id')
      .limit(limit);
    if (after !== undefined) query = query.where('id', '>', after);
    return query.execute();
  },
});

const scopeOf = ({ tenant, subject }: Scope) => ({ tenant, subject });

/** Notes what became of an upload, once; inside the caller's transaction. */
export async function settle(
  tx: Database,
  scope: Scope,
  { ingestionId, ordinal }: UploadRef,
  outcome: FileOutcome,
): Promise<void> {
  const failed = outcome.state === 'failed';
  const settled = await tx
    .updateTable('ingestion_files')
    .set({
      state: outcome.state,
      document_id: failed ? null : outcome.documentId,
      error_code: failed ? outcome.code : null,
      error_message: failed ? outcome.message : null,
      kept: failed,
    })
    .where('ingestion_id', 'in', ownedIngestions(tx, scope, ingestionId).select('id'))
    .where('ordinal', '=', ordinal)
    .where('state', '=', 'pending')
    .returning('content_hash')
    .executeTakeFirst();
  // What was just stored is in use, and what failed may be tried again; this may have lost its last reason to be kept.
  if (settled && outcome.state === 'unchanged') await removeUnusedFiles(tx, scope.tenant, [settled.content_hash]);
}
