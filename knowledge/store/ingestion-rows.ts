import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import { ingestedStates, type Ingestion, type Placement } from '../../contract/documents.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Documents, PendingFile } from '../../contract/ports/index.ts';

/** Selects the ingestion with that id, if it belongs to the subject. */
export const ownedIngestions = (db: Database, { tenant, subject }: Scope, ingestionId: string) =>
  db
    .selectFrom('ingestions')
    .where('id', '=', isUuid(ingestionId) ? ingestionId : null)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject);

export async function getPlacement(db: Database, scope: Scope, ingestionId: string): Promise<Placement> {
  const { collection, readers, tags } = await ownedIngestions(db, scope, ingestionId)
    .select(['collection', 'readers', 'tags'])
    .executeTakeFirstOrThrow();
  return { collection, ...(readers ? { readers } : {}), ...(tags ? { tags } : {}) };
}

/** An ingestion with its progress. Counts come from the rows of its files, so repeated writes cannot distort them. */
export async function getIngestion(
  db: Database,
  scope: Scope,
  ingestionId: string,
): Promise<Omit<Ingestion, 'links'> | undefined> {
  const row = await ownedIngestions(db, scope, ingestionId).selectAll().executeTakeFirst();
  if (!row) return undefined;
  const stateCounts = await db
    .selectFrom('ingestion_files')
    .select(['state', sql<number>`count(*)`.as('count')])
    .where('ingestion_id', '=', ingestionId)
    .groupBy('state')
    .execute();
  const failedFiles = await db
    .selectFrom('ingestion_files')
    .select(['name', 'error_code', 'error_message'])
    .where('ingestion_id', '=', ingestionId)
    .where('state', '=', 'failed')
    .orderBy('ordinal')
    .execute();
  return {
    id: row.id,
    status: row.status as Ingestion['status'],
    files: stateCounts.reduce((sum, { count }) => sum + count, 0),
    counts: Object.fromEntries(
      ingestedStates.map((state) => [state, stateCounts.find((counted) => counted.state === state)?.count ?? 0]),
    ) as Ingestion['counts'],
    failures: failedFiles.map(({ name, error_code, error_message }) => ({
      name,
      state: 'failed',
      documentId: null,
      error: { code: (error_code ?? 'internal') as ErrorCode, message: error_message ?? '' },
    })),
    retryOf: row.retry_of,
    createdAt: row.created_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

export async function listPendingFiles(
  db: Database,
  scope: Scope,
  ingestionId: string,
  limit: number,
): Promise<PendingFile[]> {
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
}

export async function pendingSince(db: Database): Promise<Date | undefined> {
  const row = await db
    .selectFrom('ingestions as i')
    .innerJoin('ingestion_files as f', 'f.ingestion_id', 'i.id')
    .select(({ fn }) => fn.min('i.created_at').as('since'))
    .where('f.state', '=', 'pending')
    .where('i.status', '=', 'running')
    .executeTakeFirst();
  return row?.since ?? undefined;
}

export const listOpenIngestions = (
  db: Database,
  { olderThanMs, after, limit }: Parameters<Documents['listOpenIngestions']>[0],
) => {
  const query = db
    .selectFrom('ingestions')
    .select(['id as ingestionId', 'tenant', 'subject', 'created_at as createdAt'])
    .where('status', '=', 'running')
    .where('created_at', '<', new Date(Date.now() - olderThanMs))
    .orderBy('id')
    .limit(limit);
  return (after === undefined ? query : query.where('id', '>', after)).execute();
};
