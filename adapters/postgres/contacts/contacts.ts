import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { ContactBody } from '../../../contract/contacts.ts';
import type { Contacts } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { requireCursor } from '../require-cursor.ts';
import { hashKey, hashesOf, lockContacts, searchOf, toContact, toMerge } from './contact-rows.ts';
import { undoMerge } from './undo-merge.ts';

/** Why a contact is not written to the CRM, beside what the CRM says. */
const noEmail = 'It has no e-mail address.';
const emailOfAnother = 'An older contact has the same first e-mail address.';

export const createContacts = (db: Database): Contacts => ({
  async get(tenant, id) {
    if (!isUuid(id)) return undefined;
    const row = await db
      .selectFrom('contacts')
      .selectAll()
      .where('id', '=', id)
      .where('tenant', '=', tenant)
      .executeTakeFirst();
    return row && toContact(row);
  },

  async list(tenant, { limit, cursor, q }) {
    requireCursor(cursor);
    let query = db
      .selectFrom('contacts')
      .selectAll()
      .where('tenant', '=', tenant)
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('id', '<', cursor);
    if (q !== undefined) {
      const search = searchOf(q);
      if (search === undefined) return { contacts: [], nextCursor: null };
      query = query.where(sql<boolean>`words @@ ${search}::tsquery`);
    }
    const rows = await query.execute();
    const contacts = rows.slice(0, limit).map(toContact);
    return { contacts, nextCursor: rows.length > limit ? (contacts.at(-1)?.id ?? null) : null };
  },

  delete: (tenant, id) => (isUuid(id) ? deleteContact(db, tenant, id) : Promise.resolve(false)),

  async listMerges(tenant, { limit, cursor, contactId, ingestId }) {
    requireCursor(cursor);
    let query = db
      .selectFrom('contact_merges')
      .selectAll()
      .where('tenant', '=', tenant)
      .orderBy('position', 'desc')
      .limit(limit + 1);
    if (contactId !== undefined) query = query.where('contact_id', '=', contactId);
    if (ingestId !== undefined) query = query.where('ingest_id', '=', ingestId);
    if (cursor !== undefined)
      query = query.where(
        'position',
        '<',
        sql<number>`(select position from contact_merges
        where id = ${cursor}::uuid and tenant = ${tenant})`,
      );
    const rows = await query.execute();
    const merges = rows.slice(0, limit).map(toMerge);
    return { merges, nextCursor: rows.length > limit ? (merges.at(-1)?.id ?? null) : null };
  },

  undoMerge: (tenant, id) => (isUuid(id) ? undoMerge(db, tenant, id) : Promise.resolve(undefined)),

  listDue: (tenant, limit) => listDue(db, tenant, limit),

  recordAnswers: (tenant, answers) => recordAnswers(db, tenant, answers),

  async listTenantsDue(olderThanMs) {
    const { rows } = await sql<{ tenant: string }>`
      select distinct tenant from contacts
      where crm_due and updated_at < now() - make_interval(secs => ${olderThanMs / 1_000})`.execute(db);
    return rows.map(({ tenant }) => tenant);
  },
});

/** Deletes a contact, what was merged into it, and what was merged into that before. */
const deleteContact = (db: Database, tenant: string, id: string): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    await lockContacts(trx, tenant);
    const row = await trx
      .deleteFrom('contacts')
      .where('id', '=', id)
      .where('tenant', '=', tenant)
      .returning('body')
      .executeTakeFirst();
    if (!row) return false;
    await sql`
      with recursive part (id) as (
        select ${id}::uuid union
        select m.absorbed_id from contact_merges m join part p on m.tenant = ${tenant} and m.contact_id = p.id
        where m.absorbed_id is not null and m.undone_at is null
      )
      delete from contact_merges
      where tenant = ${tenant} and (contact_id in (select id from part) or parted_id in (select id from part))`.execute(
      trx,
    );
    // One that stood behind it goes to the CRM now.
    await sql`
      update contacts set crm_due = true, crm_error = null
      where tenant = ${tenant} and crm_error = ${emailOfAnother} and id in (
        select contact_id from contact_keys
        where tenant = ${tenant} and key = any(${hashesOf(row.body as ContactBody)}::text[]))`.execute(trx);
    return true;
  });

const emailHash = (email: string) => hashKey({ reason: 'email', value: email });

/** The next contacts for the CRM. Those that it cannot take are recorded and left out. */
async function listDue(db: Database, tenant: string, limit: number): ReturnType<Contacts['listDue']> {
  const rows = await db
    .selectFrom('contacts')
    .select(['id', 'revision', 'body'])
    .where('tenant', '=', tenant)
    .where('crm_due', '=', true)
    .orderBy('id')
    .limit(limit)
    .execute();
  const due = rows.map(({ id, revision, body }) => ({ id, revision, body: body as ContactBody }));
  const firsts = due.flatMap(({ body }) => body.emails[0] ?? []);
  const { rows: owners } = await sql<{ email: string; id: string }>`
    select distinct on (c.body -> 'emails' ->> 0) c.body -> 'emails' ->> 0 as email, c.id
    from contact_keys k join contacts c on c.id = k.contact_id
    where k.tenant = ${tenant} and k.key = any(${firsts.map(emailHash)}::text[])
      and c.body -> 'emails' ->> 0 = any(${firsts}::text[])
    order by 1, c.id`.execute(db);
  const ownerOf = new Map(owners.map(({ email, id }) => [email, id]));
  const reasonOf = ({ id, body: { emails } }: (typeof due)[number]) =>
    emails[0] === undefined ? noEmail : (ownerOf.get(emails[0]) ?? id) === id ? undefined : emailOfAnother;
  return due.map((contact) => ({ ...contact, blocked: reasonOf(contact) }));
}

async function recordAnswers(db: Database, tenant: string, answers: Parameters<Contacts['recordAnswers']>[1]) {
  await sql`
    update contacts c set crm_due = false, crm_id = coalesce(a."crmId", c.crm_id), crm_error = a.error,
      synced_at = case when a."crmId" is null then c.synced_at else now() end
    from jsonb_to_recordset(${JSON.stringify(answers)}::jsonb) as a (id uuid, revision integer, "crmId" text, error text)
    where c.id = a.id and c.tenant = ${tenant} and c.revision = a.revision`.execute(db);
}
