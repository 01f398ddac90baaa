import { sql } from 'kysely';
import type { SourceRef } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Sources, SyncEnd } from '../../contract/ports/index.ts';
import { selectSource, updateSource } from './source-row.ts';

/** Queues a sync, unless one is queued or running. @returns whether there is such a source */
export async function requestSync(db: Database, source: SourceRef): Promise<boolean> {
  await updateSource(db, source)
    .set({ sync_state: 'queued', sync_requested_at: sql`now()` })
    .where('deleted_at', 'is', null)
    .where('sync_state', 'not in', ['queued', 'running'])
    .execute();
  const row = await selectSource(db, source).select('id').where('deleted_at', 'is', null).executeTakeFirst();
  return row !== undefined;
}

/** Begins the queued sync for a workflow run, or returns the sync or removal that the run has begun before. */
export const beginSync = (db: Database, source: SourceRef, run: string): Promise<{ isListed: boolean } | undefined> =>
  db.transaction().execute(async (trx) => {
    const row = await selectSource(trx, source).selectAll().forUpdate().executeTakeFirst();
    if (!row) return undefined;
    if (row.deleted_at !== null) return { isListed: true };
    const isOurs = row.sync_run === run;
    // A source has one workflow, so a sync that another run has begun is not running any more.
    if (row.sync_state === 'queued' || (row.sync_state === 'running' && !isOurs)) {
      await updateSource(trx, source)
        .set({
          sync: row.sync + 1,
          sync_run: run,
          sync_state: 'running',
          sync_removed: 0,
          sync_error_code: null,
          sync_error_message: null,
          sync_started_at: sql`now()`,
          sync_ended_at: null,
        })
        .execute();
      return { isListed: false };
    }
    return row.sync_state === 'running' ? { isListed: row.listed === row.sync } : undefined;
  });

/** Ends the sync of a run, or any sync when `run` is undefined. Deletes a source whose removal is complete. */
export const endSync = (db: Database, source: SourceRef, outcome: SyncEnd, run: string | undefined): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const ended = updateSource(trx, source)
      .set(columnsOfEnd(outcome))
      .where('sync_state', 'in', run === undefined ? ['queued', 'running'] : ['running'])
      .where('deleted_at', 'is', null);
    await (run === undefined ? ended : ended.where('sync_run', '=', run)).execute();
    await trx
      .deleteFrom('sources')
      .where('id', 'in', selectSource(trx, source).select('id'))
      .where('deleted_at', 'is not', null)
      .where(sql<boolean>`not exists (select from source_items where source_id = sources.id)`)
      .execute();
  });

/** Ends a sync that was requested more than `olderThanMs` ago. @returns whether there was one */
export async function endLostSync(
  db: Database,
  source: SourceRef,
  outcome: SyncEnd,
  olderThanMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await updateSource(db, source)
    .set(columnsOfEnd(outcome))
    .where('sync_state', 'in', ['queued', 'running'])
    .where('sync_requested_at', '<', new Date(Date.now() - olderThanMs))
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Sources with a sync or removal that was requested more than `olderThanMs` ago and has not ended. */
export const listOpenSyncs = (db: Database, { olderThanMs, after, limit }: Parameters<Sources['listOpen']>[0]) => {
  const query = db
    .selectFrom('sources')
    .select(['id as sourceId', 'tenant', 'subject', sql<boolean>`deleted_at is not null`.as('isRemoved')])
    .where((or) => or.or([or('deleted_at', 'is not', null), or('sync_state', 'in', ['queued', 'running'])]))
    .where(sql`greatest(sync_requested_at, deleted_at)`, '<', new Date(Date.now() - olderThanMs))
    .orderBy('id')
    .limit(limit);
  return (after === undefined ? query : query.where('id', '>', after)).execute();
};

const columnsOfEnd = (outcome: SyncEnd) => ({
  sync_state: outcome.status,
  sync_ended_at: sql<Date>`now()`,
  sync_error_code: outcome.status === 'failed' ? outcome.code : null,
  sync_error_message: outcome.status === 'failed' ? outcome.message : null,
});
