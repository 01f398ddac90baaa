import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import { ingestedStates, type Ingestion, type IngestionOutcome, type Placement } from '../../contract/documents.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Documents, PendingFile } from '../../contract/ports/index.ts';
import { isReadable } from './readable.ts';

/** Selects the ingestion with that id, if it belongs to the subject. */
export const ownedIngestions = (db: Database, { tenant, subject }: Scope, ingestionId: string) =>
  db
    .selectFrom('ingestions')
    .where('id', '=', isUuid(ingestionId) ? ingestionId : null)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject);

export async function getPlacement(db: Database, scope: Scope, ingestionId: string): Promise<Placement> {
  const { collection, readers, tags, origin, take_over } = await ownedIngestions(db, scope, ingestionId)
    .select(['collection', 'readers', 'tags', 'origin', 'take_over'])
    .executeTakeFirstOrThrow();
  return {
    collection,
    ...(readers ? { readers } : {}),
    ...(tags ? { tags } : {}),
    ...(origin === null ? {} : { origin }),
    ...(take_over ? { replace: true } : {}),
  };
}

/** Counts the files of an ingestion by their state. */
export async function countFiles(db: Database, ingestionId: string): Promise<Ingestion['counts']> {
  const stateCounts = await db
    .selectFrom('ingestion_files')
    .select(['state', sql<number>`count(*)`.as('count')])
    .where('ingestion_id', '=', ingestionId)
    .groupBy('state')
    .execute();
  return Object.fromEntries(
    ingestedStates.map((state) => [state, stateCounts.find((counted) => counted.state === state)?.count ?? 0]),
  ) as Ingestion['counts'];
}

/** Whether all files of an ended ingestion were read, some, or none. */
export function outcomeOf({ pending, failed, added, replaced, unchanged }: Ingestion['counts']): IngestionOutcome {
  if (pending + failed === 0) return 'all';
  return added + replaced + unchanged > 0 ? 'some' : 'none';
}

/** The most files that `sameContent` names. */
const maxSameContent = 20;

/** The added files whose content the subject can read under another name too, in the same collection. */
async function listSameContent(db: Database, scope: Scope, ingestionId: string): Promise<Ingestion['sameContent']> {
  return (
    db
      .selectFrom('ingestion_files as f')
      .innerJoin('ingestions as i', 'i.id', 'f.ingestion_id')
      .innerJoin('documents as d', (join) =>
        join
          .onRef('d.tenant', '=', 'i.tenant')
          .onRef('d.content_hash', '=', 'f.content_hash')
          .onRef('d.collection', '=', 'i.collection'),
      )
      .select(['f.name', 'd.name as as'])
      .where('f.ingestion_id', '=', ingestionId)
      .where('f.state', '=', 'added')
      .whereRef('d.name', '<>', 'f.name')
      .where(isReadable(scope))
      // A document of the same upload is a copy that the sender made.
      .whereRef('d.created_at', '<', 'i.created_at')
      .orderBy('f.ordinal')
      .orderBy('d.name')
      .limit(maxSameContent)
      .execute()
  );
}

/** An ingestion with its progress. Counts come from the rows of its files, so repeated writes cannot distort them. */
export async function getIngestion(
  db: Database,
  scope: Scope,
  ingestionId: string,
): Promise<Omit<Ingestion, 'links'> | undefined> {
  const row = await ownedIngestions(db, scope, ingestionId).selectAll().executeTakeFirst();
  if (!row) return undefined;
  const counts = await countFiles(db, ingestionId);
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
    outcome: row.ended_at === null ? null : outcomeOf(counts),
    files: Object.values(counts).reduce((sum, count) => sum + count, 0),
    counts,
    failures: failedFiles.map(({ name, error_code, error_message }) => ({
      name,
      state: 'failed',
      documentId: null,
      error: { code: (error_code ?? 'internal') as ErrorCode, message: error_message ?? '' },
    })),
    sameContent: row.ended_at === null ? [] : await listSameContent(db, scope, ingestionId),
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
