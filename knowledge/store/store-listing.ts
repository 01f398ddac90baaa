import { sql } from 'kysely';
import type { SourceRef } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Listing } from '../../contract/ports/index.ts';
import { isInPlace } from './source-items.ts';
import { selectSource, updateSource } from './source-row.ts';
import type { Recognising } from './stored-document.ts';

/** Items that one statement stores. */
const batchSize = 5_000;

/** Stores the items of a sync and marks the sync as listed. No effect on a deleted source. */
export const storeListing = (db: Database, source: SourceRef, listing: Listing & Recognising): Promise<void> =>
  db.transaction().execute(async (trx) => {
    // The lock keeps the source from being deleted until the items are stored.
    const row = await selectSource(trx, source).select(['sync', 'deleted_at']).forUpdate().executeTakeFirst();
    if (!row || row.deleted_at !== null) return;
    const { items, failures, isWhole, recognises } = listing;
    for (let from = 0; from < items.length; from += batchSize)
      await storeItems(trx, source.sourceId, { items: items.slice(from, from + batchSize), recognises });
    await storeFailures(trx, source.sourceId, failures);
    if (isWhole) await markMissingItemsGone(trx, source.sourceId);
    await updateSource(trx, source).set({ listed: row.sync }).execute();
  });

/** Items are pending, or unchanged when their etag is that of a document which is in place. */
async function storeItems(
  trx: Database,
  sourceId: string,
  { items, recognises }: Pick<Listing, 'items'> & Recognising,
): Promise<void> {
  const rows = JSON.stringify(items);
  await sql`
    insert into source_items as i (source_id, name, address, state, seen_at)
    select ${sourceId}, l.name, l.address, 'pending', now()
    from json_to_recordset(${rows}) as l (name text, address text)
    on conflict (source_id, name) do update
      set address = excluded.address, state = 'pending', error_code = null, error_message = null,
        seen_at = excluded.seen_at`.execute(trx);
  await sql`
    update source_items i set state = 'unchanged'
    from json_to_recordset(${rows}) as l (name text, etag text), sources s, documents d
      left join collections c on c.tenant = d.tenant and c.name = d.collection
    where i.source_id = ${sourceId} and i.name = l.name and i.etag = l.etag and s.id = i.source_id
      and d.id = i.document_id and d.content_hash = i.content_hash and ${isInPlace(recognises)}`.execute(trx);
}

async function storeFailures(trx: Database, sourceId: string, failures: Listing['failures']): Promise<void> {
  await sql`
    insert into source_items (source_id, name, address, state, error_code, error_message, seen_at)
    select ${sourceId}, l.name, l.address, 'failed', l.code, l.message, now()
    from json_to_recordset(${JSON.stringify(failures)}) as l (name text, address text, code text, message text)
    on conflict (source_id, name) do update
      set state = 'failed', error_code = excluded.error_code, error_message = excluded.error_message,
        seen_at = excluded.seen_at`.execute(trx);
}

/** `now()` is the start of the transaction: items that were stored above have exactly this time. */
async function markMissingItemsGone(trx: Database, sourceId: string): Promise<void> {
  await trx
    .updateTable('source_items')
    .set({ state: 'gone' })
    .where('source_id', '=', sourceId)
    .where('seen_at', '<', sql<Date>`now()`)
    .execute();
}
