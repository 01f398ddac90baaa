import { sql } from 'kysely';
import type { SourceRef } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { DueItem, ItemOutcome, SyncCounts } from '../../contract/ports/index.ts';
import { hasCurrentChunking } from './collections.ts';
import { countsOf, selectSource, updateSource } from './source-row.ts';
import type { Recognising } from './stored-document.ts';

/**
 * Whether the document `d` is in the collection of its source `s`, and cut as the collection `c` wants.
 *
 * @param recognises whether the text of pictures is read: then it also has to have that text
 */
export const isInPlace = (recognises: boolean) =>
  recognises
    ? sql<boolean>`(d.collection = s.collection and ${hasCurrentChunking}
        and not coalesce(d.unread_pictures, d.media_type = 'application/pdf'))`
    : sql<boolean>`(d.collection = s.collection and ${hasCurrentChunking})`;

/** Items that a sync still has to process. Pending ones come first: an item that was renamed is added, then removed. */
export async function listDueItems(
  db: Database,
  source: SourceRef,
  { limit, recognises }: { limit: number } & Recognising,
): Promise<DueItem[]> {
  const { rows } = await sql<{
    name: string;
    address: string;
    state: 'pending' | 'gone';
    etag: string | null;
    last_modified: string | null;
    document_id: string | null;
    is_current: boolean;
    is_in_place: boolean;
    is_shared: boolean;
  }>`
    select i.name, i.address, i.state, i.etag, i.last_modified, i.document_id,
      coalesce(d.content_hash = i.content_hash, false) as is_current, coalesce(${isInPlace(recognises)}, false) as is_in_place,
      exists (
        select from source_items o
        where o.document_id = i.document_id and o.source_id <> i.source_id and o.state <> 'gone'
      ) as is_shared
    from source_items i join sources s on s.id = i.source_id
      left join documents d on d.id = i.document_id
      left join collections c on c.tenant = d.tenant and c.name = d.collection
    where i.source_id in (${selectSource(db, source).select('id')}) and i.state in ('pending', 'gone')
    order by i.state desc, i.name
    limit ${limit}`.execute(db);
  return rows.map(({ name, address, state, etag, last_modified, document_id, is_current, is_in_place, is_shared }) => ({
    name,
    address,
    state,
    validators: is_current && is_in_place ? { etag, lastModified: last_modified } : { etag: null, lastModified: null },
    documentId: is_current && !is_shared ? document_id : null,
  }));
}

export async function recordItemOutcome(
  db: Database,
  source: SourceRef,
  name: string,
  outcome: ItemOutcome,
): Promise<void> {
  await db
    .updateTable('source_items')
    .set({
      ...documentColumnsOf(outcome),
      // Once the source is deleted, all its documents have to be removed, including one that was stored just now.
      state: sql`case when state = 'gone' then state else ${outcome.state} end`,
      error_code: outcome.state === 'failed' ? outcome.code : null,
      error_message: outcome.state === 'failed' ? outcome.message : null,
    })
    .where('source_id', 'in', selectSource(db, source).select('id'))
    .where('name', '=', name)
    .execute();
}

const documentColumnsOf = (outcome: ItemOutcome) =>
  'documentId' in outcome
    ? {
        document_id: outcome.documentId,
        content_hash: outcome.contentHash,
        etag: outcome.etag,
        last_modified: outcome.lastModified,
      }
    : {};

/** Deletes an item that is gone and counts it as removed. Idempotent. */
export const removeItem = (db: Database, source: SourceRef, name: string): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const { numDeletedRows } = await trx
      .deleteFrom('source_items')
      .where('source_id', 'in', selectSource(trx, source).select('id'))
      .where('name', '=', name)
      .where('state', '=', 'gone')
      .executeTakeFirst();
    if (numDeletedRows > 0n)
      await updateSource(trx, source)
        .set({ sync_removed: sql`sync_removed + 1` })
        .execute();
  });

export async function countItems(db: Database, source: SourceRef): Promise<SyncCounts> {
  const row = await selectSource(db, source).select('sync_removed').executeTakeFirst();
  const stateCounts = await db
    .selectFrom('source_items')
    .select(['state', sql<number>`count(*)::int`.as('items')])
    .where('source_id', 'in', selectSource(db, source).select('id'))
    .groupBy('state')
    .execute();
  return countsOf(Object.fromEntries(stateCounts.map(({ state, items }) => [state, items])), row?.sync_removed ?? 0);
}
