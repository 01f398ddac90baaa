import { sql } from 'kysely';
import type { Scope } from '../../contract/references.ts';
import type { SourceChange } from '../../contract/sources.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { SourceRow } from '../../contract/ports/index.ts';
import { recordChanges } from './document-changes.ts';
import { ownedSources, sourceExists, sourceRowOf } from './source-row.ts';

type Tell = (row: SourceRow) => Promise<void>;

/** Somebody may add a document, just then, under the name of one that is to move; the next attempt sees it. */
const attempts = 5;

/** See the port. */
export async function changeSource(
  db: Database,
  scope: Scope,
  sourceId: string,
  { change, tell }: { change: SourceChange; tell: Tell },
): Promise<SourceRow | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute((tx) => write(tx, scope, sourceId, { change, tell }));
    } catch (error) {
      const { constraint } = error as { constraint?: string };
      if (constraint === 'sources_once') throw sourceExists(change.collection ?? '');
      if (constraint !== 'documents_name' || attempt === attempts) throw error;
    }
  }
}

async function write(
  tx: Database,
  scope: Scope,
  sourceId: string,
  { change, tell }: { change: SourceChange; tell: Tell },
): Promise<SourceRow | undefined> {
  // Documents that a sync is writing are written when this has the lock, and later ones go where the new row says.
  const before = await tx
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
  await tx
    .updateTable('sources')
    .set({
      ...(everyS === undefined ? {} : { schedule: everyS }),
      ...(collection === undefined ? {} : { collection }),
      ...(readers === undefined ? {} : { readers }),
      ...(tags === undefined ? {} : { tags }),
    })
    .where('id', '=', sourceId)
    .execute();
  const changed = await ownedSources(tx, scope).where('s.id', '=', sourceId).executeTakeFirstOrThrow();
  const row = sourceRowOf(changed);
  await tell(row);
  await place(tx, scope, row, before.collection);
  return row;
}

/**
 * Brings the documents of a source in line with it: those that it has brought, and those under its names, of which one may
 * be so new that it is not noted yet. Other people's documents are theirs.
 */
async function place(tx: Database, { tenant, subject }: Scope, source: SourceRow, from: string): Promise<void> {
  const { rows: mine } = await sql<{ id: string }>`
    select d.id from documents d
    where d.tenant = ${tenant} and d.subject = ${subject} and d.id in (
      select document_id from source_items where source_id = ${source.id} and document_id is not null
      union
      select n.id from source_items i join documents n on n.tenant = ${tenant} and n.collection = ${from} and n.name = i.name
      where i.source_id = ${source.id}
    )
    order by d.id for update`.execute(tx);
  const ids = mine.map(({ id }) => id);
  const { rows: shown } = await sql<{ id: string }>`
    update documents d set readers = coalesce(${source.readers}, d.readers), tags = coalesce(${source.tags}, d.tags), updated_at = now()
    where d.id = any(${ids}) and (d.readers, d.tags) is distinct from (coalesce(${source.readers}, d.readers), coalesce(${source.tags}, d.tags))
    returning d.id`.execute(tx);
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
      )
    returning d.id`.execute(tx);
  const changed = new Set([...shown, ...moved].map(({ id }) => id));
  await recordChanges(
    tx,
    [...changed].map((id) => ({ tenant, id })),
  );
}
