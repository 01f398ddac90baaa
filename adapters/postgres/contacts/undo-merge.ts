import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { ContactBody, ContactMerge } from '../../../contract/contacts.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { mergeContact } from '../../../contract/rules/contacts/merge-contacts.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { lockContacts, toMerge, writeContacts } from './contact-rows.ts';

/**
 * Takes back one merge. The contact becomes what it was first, with all merges that count, in their order. What came by
 * this merge is a contact of its own: a new one for a line, the one from before for an absorbed contact.
 *
 * @throws AlfredError `contact_absorbed` when the contact has become part of another
 */
export const undoMerge = (db: Database, tenant: string, mergeId: string): Promise<ContactMerge | undefined> =>
  db.transaction().execute(async (trx) => {
    await lockContacts(trx, tenant);
    const merge = await trx
      .selectFrom('contact_merges')
      .selectAll()
      .where('id', '=', mergeId)
      .where('tenant', '=', tenant)
      .executeTakeFirst();
    if (!merge) return undefined;
    if (merge.undone_at !== null) return toMerge(merge);
    const contact = await trx
      .selectFrom('contacts')
      .select(['id', 'base', 'body', sql<string[]>`apart::text[]`.as('apart')])
      .where('id', '=', merge.contact_id)
      .where('tenant', '=', tenant)
      .executeTakeFirst();
    if (!contact) throw await absorbedError(trx, tenant, merge.contact_id);
    const partedId = merge.absorbed_id ?? newId();
    const undone = await trx
      .updateTable('contact_merges')
      .set({ undone_at: sql`now()`, parted_id: partedId })
      .where('id', '=', mergeId)
      .where('tenant', '=', tenant)
      .returningAll()
      .executeTakeFirstOrThrow();
    const left = await trx
      .selectFrom('contact_merges')
      .select('incoming')
      .where('tenant', '=', tenant)
      .where('contact_id', '=', contact.id)
      .where('undone_at', 'is', null)
      .orderBy('position')
      .execute();
    const base = (contact.base ?? contact.body) as ContactBody;
    const body = left.map(({ incoming }) => incoming as ContactBody).reduce(mergeContact, base);
    const incoming = merge.incoming as ContactBody;
    await writeContacts(trx, tenant, [
      { id: contact.id, body, base: left.length > 0 ? base : null, apart: [...contact.apart, partedId] },
      { id: partedId, body: incoming, base: merge.absorbed_base as ContactBody | null, apart: [contact.id] },
    ]);
    return toMerge(undone);
  });

async function absorbedError(trx: Database, tenant: string, contactId: string): Promise<AlfredError> {
  const into = await trx
    .selectFrom('contact_merges')
    .select(['id', 'contact_id'])
    .where('tenant', '=', tenant)
    .where('absorbed_id', '=', contactId)
    .where('undone_at', 'is', null)
    .executeTakeFirst();
  return into
    ? new AlfredError(
        'contact_absorbed',
        `The contact ${contactId} has become part of ${into.contact_id}. Undo the merge ${into.id} first.`,
      )
    : new AlfredError('not_found', `There is no contact ${contactId} any more.`);
}
