import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Contact, ContactBody, ContactIngest, ContactMerge, MergeReason } from '../../../contract/contacts.ts';
import { foldWords } from '../../../contract/rules/contacts/fold-words.ts';
import { keysOf, type ContactKey } from '../../../contract/rules/contacts/merge-contacts.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { contentHash } from '../hashes.ts';

/** How many characters of a hash a key has: enough that no two values of a tenant have the same. */
const keyLength = 24;
const longestWord = 60;
/** Half a character at the cut is none that Postgres takes. */
const cut = (word: string) => word.slice(0, longestWord).toWellFormed();
/** The longest country code, in digits. */
const longestCountryCode = 3;

/** The hash by which a contact is found. The value stands in the body alone. */
export const hashKey = ({ reason, value }: ContactKey): string => contentHash(`${reason}:${value}`).slice(0, keyLength);

export const hashesOf = (body: ContactBody): string[] => [...new Set(keysOf(body).map(hashKey))];

/** The words by which a search finds a contact. A phone number is found with and without its country code. */
export function wordsOf({ name, company, emails, phones }: ContactBody): string[] {
  const texts = [name ?? '', company ?? '', ...emails];
  const numbers = phones.flatMap((phone) => {
    const digits = phone.replaceAll(/;.*|\D/g, '');
    return Array.from({ length: longestCountryCode + 1 }, (_, n) => digits.slice(n));
  });
  const words = [...texts.flatMap(foldWords), ...numbers].map(cut);
  return [...new Set(words)].filter((word) => word !== '');
}

/** A search by beginnings of words. @returns undefined when nothing is left to search for */
export function searchOf(q: string): string | undefined {
  const isNumber = !/\p{L}|@/u.test(q);
  const words = isNumber ? [q.replaceAll(/\D/g, '').replace(/^0+/, '')] : foldWords(q);
  const quoted = words.filter((word) => word !== '').map((word) => `'${cut(word)}':*`);
  return quoted.length === 0 ? undefined : quoted.join(' & ');
}

export const toContact = (row: Selectable<Tables['contacts']>): Contact => ({
  id: row.id,
  ...(row.body as ContactBody),
  crm: {
    id: row.crm_id,
    syncedAt: row.synced_at?.toISOString() ?? null,
    pending: row.crm_due,
    error: row.crm_error,
  },
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export const toMerge = (row: Selectable<Tables['contact_merges']>): ContactMerge => ({
  id: row.id,
  contactId: row.contact_id,
  ingestId: row.ingest_id,
  line: row.line,
  reason: row.reason as MergeReason,
  incoming: row.incoming as ContactBody,
  absorbedId: row.absorbed_id,
  createdAt: row.created_at.toISOString(),
  undoneAt: row.undone_at?.toISOString() ?? null,
  partedId: row.parted_id,
});

export function toIngest(row: Selectable<Tables['contact_ingests']>): ContactIngest {
  const { added, merged, unchanged, rejected, lines } = row;
  const counts = { pending: lines - added - merged - unchanged - rejected, added, merged, unchanged, rejected };
  return {
    id: row.id,
    status: row.status as ContactIngest['status'],
    source: row.source as ContactIngest['source'],
    format: row.format as ContactIngest['format'],
    name: row.name,
    country: row.country,
    lines,
    counts,
    createdAt: row.created_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

/**
 * Changes of a tenant's contacts wait for each other: two uploads may have the same people.
 *
 * @param trx a transaction
 */
export const lockContacts = async (trx: Database, tenant: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`contacts/${tenant}`}, 0))`.execute(trx);
};

export type WrittenContact = { id: string; body: ContactBody; base: ContactBody | null; apart: string[] };

/** Inserts contacts, or writes what changed in them, with their keys. @param trx a transaction */
export async function writeContacts(trx: Database, tenant: string, contacts: WrittenContact[]): Promise<void> {
  if (contacts.length === 0) return;
  const rows = contacts.map(({ id, body, base, apart }) => ({ id, body, base, apart, words: wordsOf(body) }));
  await sql`
    insert into contacts (id, tenant, body, base, apart, words)
    select r.id, ${tenant}, r.body, nullif(r.base, 'null'::jsonb), r.apart, array_to_tsvector(r.words)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (id uuid, body jsonb, base jsonb, apart uuid[], words text[])
    on conflict (id) do update set body = excluded.body, base = excluded.base, apart = excluded.apart,
      words = excluded.words, revision = contacts.revision + 1, crm_due = true, updated_at = now()`.execute(trx);
  const keys = contacts.flatMap(({ id, body }) => hashesOf(body).map((key) => ({ key, contact_id: id })));
  const ids = contacts.map(({ id }) => id);
  await sql`delete from contact_keys where tenant = ${tenant} and contact_id = any(${ids}::uuid[])`.execute(trx);
  await sql`
    insert into contact_keys (tenant, key, contact_id)
    select ${tenant}, k.key, k.contact_id
    from jsonb_to_recordset(${JSON.stringify(keys)}::jsonb) as k (key text, contact_id uuid)`.execute(trx);
}
