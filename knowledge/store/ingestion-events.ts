import type { Selectable } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Ingestion } from '../../contract/documents.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import { isLastIngestionEvent, type IngestionEvent } from '../../contract/ingestion-events.ts';
import type { IngestionEvents } from '../../contract/ports/index.ts';
import type { Scope } from '../../contract/references.ts';
import type { EventListener } from '../../adapters/postgres/event-listener.ts';
import { followRows } from '../../adapters/postgres/follow-rows.ts';
import { waitForEnd } from '../../adapters/postgres/wait-for-end.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Tables } from '../../runtime/database/tables.ts';
import { countFiles, outcomeOf, ownedIngestions } from './ingestion-rows.ts';

/**
 * The events of an upload are not rows of their own: the database numbers each file when it is settled, and the upload
 * when it ends (migration 0013).
 */
export const createIngestionEvents = (db: Database, listener: EventListener): IngestionEvents => {
  const read: IngestionEvents['read'] = async (scope, ingestionId, after, limit) => {
    const ingestion = await ownedIngestions(db, scope, ingestionId).selectAll().executeTakeFirst();
    if (!ingestion) return [];
    const files = await readFiles(db, ingestion, after, limit);
    const events = files.map(fileEvent);
    const { ended_seq: endedSeq, ended_at: endedAt, created_at: createdAt } = ingestion;
    if (after < 1) {
      const counts = await countFiles(db, ingestionId);
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      events.unshift({ seq: 1, at: createdAt.toISOString(), type: 'ingestion.queued', data: { files: all } });
    }
    if (endedSeq !== null && endedAt && after < endedSeq && events.length < limit) {
      const counts = await countFiles(db, ingestionId);
      const status = ingestion.status as Exclude<Ingestion['status'], 'running'>;
      const data = { outcome: outcomeOf(counts), counts };
      events.push({ seq: endedSeq, at: endedAt.toISOString(), type: `ingestion.${status}`, data });
    }
    return events.slice(0, limit);
  };

  const hasEnded = async (ingestionId: string, after = 0) => {
    const row = await db
      .selectFrom('ingestions')
      .select(['ended_at', 'ended_seq'])
      .where('id', '=', isUuid(ingestionId) ? ingestionId : null)
      .executeTakeFirst();
    return !row || (row.ended_at !== null && (after === 0 || (row.ended_seq ?? 0) <= after));
  };

  return {
    read,

    follow: (scope, ingestionId, after, signal) =>
      followRows(listener, {
        id: ingestionId,
        after,
        signal,
        read: (from, limit) => read(scope, ingestionId, from, limit),
        isLast: isLastIngestionEvent,
        isOver: async (lastRead) => lastRead > 0 && (await hasEnded(ingestionId, lastRead)),
      }),

    async lastSeq(scope: Scope, ingestionId: string) {
      const row = await ownedIngestions(db, scope, ingestionId).select(['last_seq', 'ended_seq']).executeTakeFirst();
      return row && (row.ended_seq ?? row.last_seq);
    },

    waitForEnd: (ingestionId, signal) => waitForEnd(listener, ingestionId, signal, () => hasEnded(ingestionId)),
  };
};

type FileRow = Selectable<Tables['ingestion_files']>;

/** The settled files with a number above `after`. Files that were settled after the end of the upload have no event. */
const readFiles = (
  db: Database,
  { id, last_seq: lastSeq, ended_seq: endedSeq }: { id: string; last_seq: number; ended_seq: number | null },
  after: number,
  limit: number,
): Promise<FileRow[]> =>
  db
    .selectFrom('ingestion_files')
    .selectAll()
    .where('ingestion_id', '=', id)
    .where('seq', '>', after)
    .where('seq', '<=', endedSeq ?? lastSeq)
    .orderBy('seq')
    .limit(limit)
    .execute();

function fileEvent(row: FileRow): IngestionEvent {
  const base = { seq: row.seq ?? 0, at: (row.settled_at ?? new Date(0)).toISOString() };
  const file = { file: row.ordinal, name: row.name };
  if (row.state === 'failed' || row.document_id === null) {
    const error = { code: (row.error_code ?? 'internal') as ErrorCode, message: row.error_message ?? '' };
    return { ...base, type: 'file.failed', data: { ...file, error } };
  }
  const state = row.state as 'added' | 'replaced' | 'unchanged';
  return { ...base, type: 'file.read', data: { ...file, state, documentId: row.document_id } };
}
