import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { ContactIngests, ContactReader, RejectedLine } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { requireCursor } from '../require-cursor.ts';
import { toIngest } from './contact-rows.ts';
import { receiveContacts, usualBatch } from './receive-contacts.ts';
import { storeBatch } from './store-batch.ts';

/** An upload may take this long to arrive, and its rejected lines are kept for so long. */
const kept = { receiving: '1 hour', rejects: '30 days' } as const;

/** @param batch how much is stored in one transaction */
export const createContactIngests = (db: Database, read: ContactReader, batch = usualBatch): ContactIngests => ({
  async receive(by, upload, bytes) {
    const { id, isNew } = await receiveContacts({ db, read, batch }, by, upload, bytes);
    const row = await owned(db, by, id).selectAll().executeTakeFirstOrThrow();
    return { ingest: toIngest(row), isNew };
  },

  async get(by, id) {
    const row = await owned(db, by, id).selectAll().executeTakeFirst();
    return row && toIngest(row);
  },

  async list({ tenant, subject }, { limit, cursor }) {
    requireCursor(cursor);
    let query = db
      .selectFrom('contact_ingests')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('status', '<>', 'receiving')
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('id', '<', cursor);
    const rows = await query.execute();
    const ingests = rows.slice(0, limit).map(toIngest);
    return { ingests, nextCursor: rows.length > limit ? (ingests.at(-1)?.id ?? null) : null };
  },

  async delete(by, id) {
    const row = await owned(db, by, id).select('ended_at').executeTakeFirst();
    if (!row) return false;
    if (row.ended_at === null) throw new AlfredError('contact_ingest_running');
    await db.deleteFrom('contact_ingests').where('id', '=', id).where('tenant', '=', by.tenant).execute();
    return true;
  },

  listRejects: (by, id, after, limit) =>
    db
      .selectFrom('contact_rejects')
      .select(['line', 'reason', 'fields'])
      .where('ingest_id', 'in', owned(db, by, id).select('id'))
      .where('line', '>', after)
      .orderBy('line')
      .limit(limit)
      .execute() as Promise<RejectedLine[]>,

  async columnsOf(by, id) {
    const row = await owned(db, by, id).select('columns').executeTakeFirst();
    return row?.columns ?? undefined;
  },

  storeBatch: (ingest, check) => storeBatch(db, ingest, check),

  async end({ ingestId, tenant, subject }, status) {
    const { rows } = await sql`
      with ended as (
        update contact_ingests set status = ${status}, ended_at = now()
        where id = ${ingestId} and tenant = ${tenant} and subject = ${subject} and status = 'running' returning id
      ), gone as (delete from contact_ingest_batches where ingest_id in (select id from ended))
      select id from ended`.execute(db);
    return rows.length > 0;
  },

  async remove({ ingestId, tenant, subject }) {
    await db
      .deleteFrom('contact_ingests')
      .where('id', '=', ingestId)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .execute();
  },

  async listOpen({ olderThanMs, after, limit }) {
    let query = db
      .selectFrom('contact_ingests')
      .select(['id as ingestId', 'tenant', 'subject', 'created_at as createdAt'])
      .where('ended_at', 'is', null)
      .where('status', '=', 'running')
      .where('created_at', '<', new Date(Date.now() - olderThanMs))
      .orderBy('id')
      .limit(limit);
    if (after !== undefined) query = query.where('id', '>', after);
    return query.execute();
  },

  removeExpired: (limit) => removeExpired(db, limit),
});

/** An upload of the subject that has arrived. */
const owned = (db: Database, { tenant, subject }: Scope, id: string) =>
  db
    .selectFrom('contact_ingests')
    .where('id', '=', isUuid(id) ? id : null)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('status', '<>', 'receiving');

async function removeExpired(db: Database, limit: number): Promise<number> {
  const { rows } = await sql`
    with broken as (
      delete from contact_ingests where id in (
        select id from contact_ingests
        where ended_at is null and status = 'receiving' and created_at < now() - ${kept.receiving}::interval
        order by id limit ${limit})
      returning 1
    ), old as (
      delete from contact_rejects where (ingest_id, line) in (
        select ingest_id, line from contact_rejects where created_at < now() - ${kept.rejects}::interval
        order by created_at limit ${limit})
      returning 1
    )
    select 1 from broken union all select 1 from old`.execute(db);
  return rows.length;
}
