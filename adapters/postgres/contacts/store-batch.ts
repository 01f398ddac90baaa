import { sql } from 'kysely';
import type { ContactBody, ContactLine, ContactSource } from '../../../contract/contacts.ts';
import type { ContactIngests, StoredBatch } from '../../../contract/ports/index.ts';
import type { ContactIngestRef } from '../../../contract/references.ts';
import { keysOf } from '../../../contract/rules/contacts/merge-contacts.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { hashKey, lockContacts, writeContacts, type WrittenContact } from './contact-rows.ts';
import { matchLines, mostOfKey, type NewMerge } from './match-lines.ts';

/**
 * Stores the next batch of an upload. Its position moves in the same transaction, and its row is locked from the
 * beginning: a repeat, and an attempt beside it, find the batch after it.
 */
export const storeBatch = (
  db: Database,
  ingest: ContactIngestRef,
  check: Parameters<ContactIngests['storeBatch']>[1],
): Promise<StoredBatch | undefined> =>
  db.transaction().execute(async (trx) => {
    const { ingestId, tenant, subject } = ingest;
    const row = await trx
      .selectFrom('contact_ingests')
      .select(['source', 'country', 'next_batch'])
      .where('id', '=', ingestId)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('status', '=', 'running')
      .forUpdate()
      .executeTakeFirst();
    const batch =
      row &&
      (await trx
        .selectFrom('contact_ingest_batches')
        .select('lines')
        .where('ingest_id', '=', ingestId)
        .where('number', '=', row.next_batch)
        .executeTakeFirst());
    if (!batch) return undefined;
    const lines = (batch.lines as ContactLine[]).map((line) => ({ fields: line.fields, ...check(line, row.country) }));
    await lockContacts(trx, tenant);
    const bodies = lines.flatMap((line) => ('body' in line ? [line.body] : []));
    const { written, deleted, merges, rejects, outcomes } = matchLines(lines, await findKnown(trx, tenant, bodies));
    if (deleted.length > 0)
      await sql`delete from contacts where tenant = ${tenant} and id = any(${deleted}::uuid[])`.execute(trx);
    await writeContacts(trx, tenant, written);
    await insertMerges(trx, ingest, merges);
    await sql`
      insert into contact_rejects (ingest_id, line, reason, fields)
      select ${ingestId}, r.line, r.reason, r.fields
      from jsonb_to_recordset(${JSON.stringify(rejects)}::jsonb) as r (line integer, reason text, fields jsonb)
      on conflict do nothing`.execute(trx);
    const { added, merged, unchanged, rejected } = outcomes;
    await sql`
      update contact_ingests set next_batch = next_batch + 1, added = added + ${added}, merged = merged + ${merged},
        unchanged = unchanged + ${unchanged}, rejected = rejected + ${rejected}
      where id = ${ingestId} and tenant = ${tenant}`.execute(trx);
    await trx
      .deleteFrom('contact_ingest_batches')
      .where('ingest_id', '=', ingestId)
      .where('number', '=', row.next_batch)
      .execute();
    return { source: row.source as ContactSource, outcomes };
  });

/** The contacts that have a key in common with one of these. @param trx a transaction */
async function findKnown(trx: Database, tenant: string, bodies: ContactBody[]): Promise<WrittenContact[]> {
  const hashes = [...new Set(bodies.flatMap((body) => keysOf(body).map(hashKey)))];
  const { rows } = await sql<WrittenContact>`
    select c.id, c.body, c.base, c.apart::text[] as apart from contacts c
    where c.tenant = ${tenant} and c.id in (
      select k.contact_id from unnest(${hashes}::text[]) h (key) cross join lateral (
        select o.contact_id from contact_keys o where o.tenant = ${tenant} and o.key = h.key
        order by o.contact_id limit ${mostOfKey + 1}
      ) k
    )`.execute(trx);
  return rows;
}

async function insertMerges(
  trx: Database,
  { ingestId, tenant }: ContactIngestRef,
  merges: readonly NewMerge[],
): Promise<void> {
  if (merges.length === 0) return;
  await sql`
    insert into contact_merges (id, tenant, contact_id, ingest_id, line, reason, incoming, absorbed_id, absorbed_base)
    select m.id, ${tenant}, m.contact_id, ${ingestId}, m.line, m.reason, m.incoming, m.absorbed_id,
      nullif(m.absorbed_base, 'null'::jsonb)
    from jsonb_to_recordset(${JSON.stringify(merges.map((merge, n) => ({ ...merge, n })))}::jsonb) as m
      (id uuid, contact_id uuid, line integer, reason text, incoming jsonb, absorbed_id uuid, absorbed_base jsonb, n int)
    order by m.n`.execute(trx);
}
