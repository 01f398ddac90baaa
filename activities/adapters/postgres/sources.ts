import { sql } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Sources } from '../../ports.ts';
import { selectSources, sourceRowOf } from './source-row.ts';
import { createSourceSyncs } from './source-syncs.ts';

/** Source rows, and what they held at the last look. */
export const createSources = (db: Database): Sources => ({
  ...createSourceSyncs(db),

  async create(scope, { kind, address, options, collection, readers, tags, everyS }) {
    const id = newId();
    const inserted = await db
      .insertInto('sources')
      .values({
        id,
        tenant: scope.tenant,
        subject: scope.subject,
        kind,
        address,
        options: JSON.stringify(options),
        collection,
        readers: readers ?? null,
        tags: tags ?? null,
        schedule: everyS ?? null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (inserted) return sourceRowOf({ ...inserted, counts: {}, failures: [] });
    throw new AlfredError(
      'source_exists',
      `You have a source with this address in the collection ${collection} already: see GET /v1/sources. Ask it for a sync, or remove it first.`,
    );
  },

  async get(scope, sourceId) {
    const row = await owned(db, scope)
      .where('s.id', '=', isUuid(sourceId) ? sourceId : null)
      .executeTakeFirst();
    return row && sourceRowOf(row);
  },

  async list(scope, { limit, cursor }) {
    let query = owned(db, scope)
      .orderBy('s.id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('s.id', '<', cursor);
    const rows = await query.execute();
    const page = rows.slice(0, limit).map(sourceRowOf);
    return { sources: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  async discard(scope, sourceId) {
    await remove(db, scope, sourceId);
  },

  async delete(scope, sourceId, documents) {
    if (!isUuid(sourceId)) return false;
    if (documents === 'keep') return remove(db, scope, sourceId);
    return db.transaction().execute(async (tx) => {
      const hidden = await tx
        .updateTable('sources')
        .set({ deleted_at: sql`coalesce(deleted_at, now())` })
        .where('id', '=', sourceId)
        .where('tenant', '=', scope.tenant)
        .where('subject', '=', scope.subject)
        .returning('id')
        .executeTakeFirst();
      if (!hidden) return false;
      await tx.updateTable('source_items').set({ state: 'gone' }).where('source_id', '=', sourceId).execute();
      return true;
    });
  },
});

const owned = (db: Database, { tenant, subject }: Scope) =>
  selectSources(db).where('s.tenant', '=', tenant).where('s.subject', '=', subject);

async function remove(db: Database, { tenant, subject }: Scope, sourceId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('sources')
    .where('id', '=', sourceId)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
