import { sql } from 'kysely';
import type { SourceRef } from '../../contract/references.ts';
import type { SourceKind, SourceOptions } from '../../contract/sources.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { ItemOutcome, Listing, Sources, SyncEnd } from '../../contract/ports/index.ts';
import { isCutAsSet } from './collections.ts';
import { countsOf } from './source-row.ts';

type Syncs = Pick<
  Sources,
  'requestSync' | 'beginSync' | 'findLocation' | 'storeListing' | 'listDue' | 'recordOutcome' | 'removeItem' | 'counts' | 'endSync' | 'endLostSync' | 'listOpen'
>;

/** Items of a list that one statement takes. */
const listedAtOnce = 5_000;

/** How syncs stand. Rows say how far one is, so that any worker can go on with it. */
export const createSourceSyncs = (db: Database): Syncs => ({
  async requestSync(source) {
    await update(db, source)
      .set({ sync_state: 'queued', sync_requested_at: sql`now()` })
      .where('deleted_at', 'is', null)
      .where('sync_state', 'not in', ['queued', 'running'])
      .execute();
    const found = await select(db, source).select('id').where('deleted_at', 'is', null).executeTakeFirst();
    return found !== undefined;
  },

  beginSync: (source, run) =>
    db.transaction().execute(async (tx) => {
      const row = await select(tx, source).selectAll().forUpdate().executeTakeFirst();
      if (!row) return undefined;
      if (row.deleted_at !== null) return { isListed: true };
      const isOurs = row.sync_run === run;
      // There is one workflow a source: what another run has left behind is not under way any more.
      if (row.sync_state === 'queued' || (row.sync_state === 'running' && !isOurs)) {
        await update(tx, source)
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
    }),

  async findLocation(source) {
    const row = await select(db, source).selectAll().where('deleted_at', 'is', null).executeTakeFirst();
    if (!row) return undefined;
    const { kind, address, options } = row;
    return { kind: kind as SourceKind, address, options: options as SourceOptions };
  },

  storeListing: (source, listing) =>
    db.transaction().execute(async (tx) => {
      // Nobody deletes it meanwhile.
      const row = await select(tx, source).select(['sync', 'deleted_at']).forUpdate().executeTakeFirst();
      if (!row || row.deleted_at !== null) return;
      await takeList(tx, source, listing);
      await update(tx, source).set({ listed: row.sync }).execute();
    }),

  async listDue(source, limit) {
    const { rows } = await sql<{
      name: string;
      address: string;
      state: 'pending' | 'gone';
      etag: string | null;
      last_modified: string | null;
      document_id: string | null;
      stands: boolean;
      is_in_order: boolean;
      is_shared: boolean;
    }>`
      select i.name, i.address, i.state, i.etag, i.last_modified, i.document_id,
        coalesce(d.content_hash = i.content_hash, false) as stands, coalesce(${isInOrder}, false) as is_in_order,
        exists (
          select from source_items o
          where o.document_id = i.document_id and o.source_id <> i.source_id and o.state <> 'gone'
        ) as is_shared
      from source_items i join sources s on s.id = i.source_id
        left join documents d on d.id = i.document_id
        left join collections c on c.tenant = d.tenant and c.name = d.collection
      where i.source_id in (${select(db, source).select('id')}) and i.state in ('pending', 'gone')
      -- what has moved is added before it is removed
      order by i.state desc, i.name
      limit ${limit}`.execute(db);
    return rows.map(({ name, address, state, etag, last_modified, document_id, stands, is_in_order, is_shared }) => ({
      name,
      address,
      state,
      validators: stands && is_in_order ? { etag, lastModified: last_modified } : { etag: null, lastModified: null },
      documentId: stands && !is_shared ? document_id : null,
    }));
  },

  async recordOutcome(source, name, outcome) {
    await db
      .updateTable('source_items')
      .set({
        ...columnsOf(outcome),
        // A source that was deleted meanwhile wants all its documents removed, also the one that came just now.
        state: sql`case when state = 'gone' then state else ${outcome.state} end`,
        error_code: outcome.state === 'failed' ? outcome.code : null,
        error_message: outcome.state === 'failed' ? outcome.message : null,
      })
      .where('source_id', 'in', select(db, source).select('id'))
      .where('name', '=', name)
      .execute();
  },

  removeItem: (source, name) =>
    db.transaction().execute(async (tx) => {
      const { numDeletedRows } = await tx
        .deleteFrom('source_items')
        .where('source_id', 'in', select(tx, source).select('id'))
        .where('name', '=', name)
        .where('state', '=', 'gone')
        .executeTakeFirst();
      if (numDeletedRows > 0n)
        await update(tx, source)
          .set({ sync_removed: sql`sync_removed + 1` })
          .execute();
    }),

  async countItems(source) {
    const row = await select(db, source).select('sync_removed').executeTakeFirst();
    const counted = await db
      .selectFrom('source_items')
      .select(['state', sql<number>`count(*)::int`.as('items')])
      .where('source_id', 'in', select(db, source).select('id'))
      .groupBy('state')
      .execute();
    return countsOf(Object.fromEntries(counted.map(({ state, items }) => [state, items])), row?.sync_removed ?? 0);
  },

  endSync: (source, end, run) =>
    db.transaction().execute(async (tx) => {
      const ended = update(tx, source)
        .set(columnsOfEnd(end))
        .where('sync_state', 'in', run === undefined ? ['queued', 'running'] : ['running'])
        .where('deleted_at', 'is', null);
      await (run === undefined ? ended : ended.where('sync_run', '=', run)).execute();
      await tx
        .deleteFrom('sources')
        .where('id', 'in', select(tx, source).select('id'))
        .where('deleted_at', 'is not', null)
        .where(sql<boolean>`not exists (select from source_items where source_id = sources.id)`)
        .execute();
    }),

  async endLostSync(source, end, { olderThanMs }) {
    const { numUpdatedRows } = await update(db, source)
      .set(columnsOfEnd(end))
      .where('sync_state', 'in', ['queued', 'running'])
      .where('sync_requested_at', '<', new Date(Date.now() - olderThanMs))
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  },

  async listOpen({ olderThanMs, after, limit }) {
    let query = db
      .selectFrom('sources')
      .select(['id as sourceId', 'tenant', 'subject', sql<boolean>`deleted_at is not null`.as('isRemoved')])
      .where((or) => or.or([or('deleted_at', 'is not', null), or('sync_state', 'in', ['queued', 'running'])]))
      .where(sql`greatest(sync_requested_at, deleted_at)`, '<', new Date(Date.now() - olderThanMs))
      .orderBy('id')
      .limit(limit);
    if (after !== undefined) query = query.where('id', '>', after);
    return query.execute();
  },
});

const select = (db: Database, { sourceId, tenant, subject }: SourceRef) =>
  db.selectFrom('sources').where('id', '=', sourceId).where('tenant', '=', tenant).where('subject', '=', subject);

const update = (db: Database, { sourceId, tenant, subject }: SourceRef) =>
  db.updateTable('sources').where('id', '=', sourceId).where('tenant', '=', tenant).where('subject', '=', subject);

const columnsOfEnd = (end: SyncEnd) => ({
  sync_state: end.status,
  sync_ended_at: sql<Date>`now()`,
  sync_error_code: end.status === 'failed' ? end.code : null,
  sync_error_message: end.status === 'failed' ? end.message : null,
});

const columnsOf = (outcome: ItemOutcome) =>
  'documentId' in outcome
    ? {
        document_id: outcome.documentId,
        content_hash: outcome.contentHash,
        etag: outcome.etag,
        last_modified: outcome.lastModified,
      }
    : {};

/** Whether the document `d` stands where its source `s` says, and is cut as the collection `c` does. */
const isInOrder = sql<boolean>`(d.collection = s.collection and ${isCutAsSet})`;

/** An item whose etag is that of the document that stands needs no look; whatever a whole list does not name is gone. */
async function takeList(tx: Database, { sourceId }: SourceRef, { items, failures, isWhole }: Listing): Promise<void> {
  for (let from = 0; from < items.length; from += listedAtOnce) {
    const rows = JSON.stringify(items.slice(from, from + listedAtOnce));
    await sql`
      insert into source_items as i (source_id, name, address, state, seen_at)
      select ${sourceId}, l.name, l.address, 'pending', now()
      from json_to_recordset(${rows}) as l (name text, address text)
      on conflict (source_id, name) do update
        set address = excluded.address, state = 'pending', error_code = null, error_message = null, seen_at = excluded.seen_at`.execute(
      tx,
    );
    await sql`
      update source_items i set state = 'unchanged'
      from json_to_recordset(${rows}) as l (name text, etag text), sources s, documents d
        left join collections c on c.tenant = d.tenant and c.name = d.collection
      where i.source_id = ${sourceId} and i.name = l.name and i.etag = l.etag and s.id = i.source_id
        and d.id = i.document_id and d.content_hash = i.content_hash and ${isInOrder}`.execute(tx);
  }
  await sql`
    insert into source_items (source_id, name, address, state, error_code, error_message, seen_at)
    select ${sourceId}, l.name, l.address, 'failed', l.code, l.message, now()
    from json_to_recordset(${JSON.stringify(failures)}) as l (name text, address text, code text, message text)
    on conflict (source_id, name) do update
      set state = 'failed', error_code = excluded.error_code, error_message = excluded.error_message, seen_at = excluded.seen_at`.execute(
    tx,
  );
  if (!isWhole) return;
  await tx
    .updateTable('source_items')
    .set({ state: 'gone' })
    .where('source_id', '=', sourceId)
    .where('seen_at', '<', sql<Date>`now()`)
    .execute();
}
