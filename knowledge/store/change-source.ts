import { sql } from 'kysely';
import type { Scope } from '../../contract/references.ts';
import type { SourceChange } from '../../contract/sources.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { SourceRow } from '../../contract/ports/index.ts';
import { recordChanges } from './document-changes.ts';
import { ownedSources, sourceExists, toSourceRow } from './source-row.ts';

/**
 * A document may be added to the new collection under the name of one that is about to move there, which makes the move
 * fail. The next attempt sees the added document and does not move the other one.
 */
const maxAttempts = 5;

export async function changeSource(
  db: Database,
  scope: Scope,
  sourceId: string,
  change: SourceChange,
): Promise<SourceRow | undefined> {
  let attempt = 0;
  while (true) {
    attempt++;
    try {
      return await db.transaction().execute((trx) => writeChange(trx, scope, sourceId, change));
    } catch (error) {
      const { constraint } = error as { constraint?: string };
      if (constraint === 'sources_once') throw sourceExists(change.collection ?? '');
      if (!constraint?.startsWith('documents_name') || attempt === maxAttempts) throw error;
    }
  }
}

async function writeChange(
  trx: Database,
  scope: Scope,
  sourceId: string,
  change: SourceChange,
): Promise<SourceRow | undefined> {
  // Waits for documents that a sync is writing. Documents written later are placed by the changed row.
  const before = await trx
    .selectFrom('sources')
    .select('collection')
    .where('id', '=', sourceId)
    .where('tenant', '=', scope.tenant)
    .where('subject', '=', scope.subject)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!before) return undefined;
  const { everyS, collection, readers, tags } = change;
  await trx
    .updateTable('sources')
    .set({
      ...(everyS === undefined ? {} : { schedule: everyS }),
      ...(collection === undefined ? {} : { collection }),
      ...(readers === undefined ? {} : { readers }),
      ...(tags === undefined ? {} : { tags }),
    })
    .where('id', '=', sourceId)
    .execute();
  const changedRow = await ownedSources(trx, scope).where('s.id', '=', sourceId).executeTakeFirstOrThrow();
  const row = toSourceRow(changedRow);
  await placeDocuments(trx, scope, row, before.collection);
  return row;
}

/**
 * Gives the documents of a source its readers, tags and collection. Its documents are
 * those that its items refer to, and those with an item's name: one that was stored just
 * now may not be recorded at its item yet. Documents of other subjects are left alone.
 *
 * @param from the collection of the source before the change
 */
async function placeDocuments(
  trx: Database,
  { tenant, subject }: Scope,
  source: SourceRow,
  from: string,
): Promise<void> {
  const { rows: documents } = await sql<{ id: string }>`
    select d.id from documents d
    where d.tenant = ${tenant} and d.subject = ${subject} and d.id in (
      select document_id from source_items where source_id = ${source.id} and document_id is not null
      union
      select n.id from source_items i join documents n on n.tenant = ${tenant} and n.collection = ${from} and n.name = i.name
      where i.source_id = ${source.id}
    )
    order by d.id for update`.execute(trx);
  const ids = documents.map(({ id }) => id);
  const { rows: updated } = await sql<{ id: string }>`
    update documents d set readers = coalesce(${source.readers}, d.readers), tags = coalesce(${source.tags}, d.tags), updated_at = now()
    where d.id = any(${ids}) and (d.readers, d.tags) is distinct from (coalesce(${source.readers}, d.readers), coalesce(${source.tags}, d.tags))
    returning d.id`.execute(trx);
  const { rows: moved } = await sql<{ id: string }>`
    update documents d set collection = ${source.collection}, updated_at = now()
    from source_items i
    where i.source_id = ${source.id} and i.document_id = d.id and d.id = any(${ids})
      and d.collection = ${from} and d.collection <> ${source.collection} and d.content_hash = i.content_hash
      and not exists (
        select from source_items o where o.document_id = d.id and o.source_id <> i.source_id and o.state <> 'gone'
      )
      and not exists (
        select from documents o where o.tenant = d.tenant and o.collection = ${source.collection} and o.name = d.name
          and o.subject = d.subject
      )
    returning d.id`.execute(trx);
  const changed = new Set([...updated, ...moved].map(({ id }) => id));
  await recordChanges(
    trx,
    [...changed].map((id) => ({ tenant, id })),
  );
}
