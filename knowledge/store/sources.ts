import { sql } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { SourceRequest } from '../../contract/sources.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Sources } from '../../contract/ports/index.ts';
import { changeSource } from './change-source.ts';
import { requestHashOf } from '../../adapters/postgres/request-hash.ts';
import { ownedSources, sourceExists, sourceRowOf } from './source-row.ts';
import { createSourceSyncs } from './source-syncs.ts';

/** Source rows, and what they held at the last look. */
export const createSources = (db: Database): Sources => ({
  ...createSourceSyncs(db),

  async create(scope, request, { idempotencyKey = null } = {}) {
    const { kind, address, options, collection, readers, tags, everyS } = request;
    const requestHash = requestHashOf(request);
    while (true) {
      const inserted = await db
        .insertInto('sources')
        .values({
          ...{ id: newId(), tenant: scope.tenant, subject: scope.subject },
          ...{ kind, address, options: JSON.stringify(options) },
          ...{ collection, readers: readers ?? null, tags: tags ?? null, schedule: everyS ?? null },
          ...{ idempotency_key: idempotencyKey, request_hash: requestHash },
        })
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst();
      if (inserted) return { ...sourceRowOf({ ...inserted, counts: {}, failures: [] }), isNew: true };
      const known = idempotencyKey === null ? undefined : await repeated(db, scope, idempotencyKey, requestHash);
      if (known) return { ...known, isNew: false };
      // One that was taken back in between is in nobody's way.
      if (await isTaken(db, scope, request)) throw sourceExists(collection);
    }
  },

  change: async (scope, sourceId, change, tell) =>
    isUuid(sourceId) ? changeSource(db, scope, sourceId, { change, tell }) : undefined,

  async get(scope, sourceId) {
    const row = await ownedSources(db, scope)
      .where('s.id', '=', isUuid(sourceId) ? sourceId : null)
      .executeTakeFirst();
    return row && sourceRowOf(row);
  },

  async list(scope, { limit, cursor }) {
    let query = ownedSources(db, scope)
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

  delete: (scope, sourceId, documents, tell) =>
    db.transaction().execute(async (tx) => {
      if (!isUuid(sourceId)) return false;
      const found = await (documents === 'keep' ? remove(tx, scope, sourceId) : hide(tx, scope, sourceId));
      if (found) await tell?.();
      return found;
    }),
});

/** The source that an idempotency key made before, undefined when it is no longer there. */
async function repeated(db: Database, scope: Scope, idempotencyKey: string, requestHash: string) {
  const known = await db
    .selectFrom('sources')
    .select(['id', 'request_hash', 'deleted_at'])
    .where('tenant', '=', scope.tenant)
    .where('subject', '=', scope.subject)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
  if (!known) return undefined;
  const reused = (how: string) =>
    new AlfredError('idempotency_key_reused', `The Idempotency-Key "${idempotencyKey}" was used ${how}.`);
  if (known.request_hash !== requestHash) throw reused(`with another request, for source ${known.id}`);
  if (known.deleted_at !== null) throw reused(`for source ${known.id}, which is being removed`);
  const row = await ownedSources(db, scope).where('s.id', '=', known.id).executeTakeFirst();
  return row && sourceRowOf(row);
}

async function isTaken(db: Database, scope: Scope, { kind, address, options, collection }: SourceRequest) {
  const found = await ownedSources(db, scope)
    .where('s.kind', '=', kind)
    .where('s.collection', '=', collection)
    .where('s.address', '=', address)
    .where(sql<boolean>`s.options = ${JSON.stringify(options)}::jsonb`)
    .executeTakeFirst();
  return found !== undefined;
}

async function hide(tx: Database, { tenant, subject }: Scope, sourceId: string): Promise<boolean> {
  const hidden = await tx
    .updateTable('sources')
    .set({ deleted_at: sql`coalesce(deleted_at, now())` })
    .where('id', '=', sourceId)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .returning('id')
    .executeTakeFirst();
  if (!hidden) return false;
  await tx.updateTable('source_items').set({ state: 'gone' }).where('source_id', '=', sourceId).execute();
  return true;
}

async function remove(db: Database, { tenant, subject }: Scope, sourceId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('sources')
    .where('id', '=', sourceId)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
