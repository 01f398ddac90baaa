import { sql } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import { keptPrincipalOf, type Requester } from '../../contract/principal.ts';
import type { Scope } from '../../contract/references.ts';
import type { SourceRequest } from '../../contract/sources.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { SourceRow, Sources } from '../../contract/ports/index.ts';
import { changeSource } from './change-source.ts';
import { hashRequest } from '../../adapters/postgres/hashes.ts';
import { ownedSources, reachedSources, sourceExists, toSourceRow, visibleSource } from './source-row.ts';
import { createSourceSyncs } from './source-syncs.ts';

/**
 * Sources and their syncs.
 *
 * @param options.recognises whether the text of pictures is read: items whose pictures were not are read again
 */
export const createSources = (db: Database, { recognises = false } = {}): Sources => ({
  ...createSourceSyncs(db, recognises),

  create: (scope, request, { idempotencyKey = null } = {}) => createSource(db, scope, request, idempotencyKey),
  change: async (scope, sourceId, change) => (isUuid(sourceId) ? changeSource(db, scope, sourceId, change) : undefined),

  async get(reach, sourceId) {
    const row = await reachedSources(db, reach)
      .where('s.id', '=', isUuid(sourceId) ? sourceId : null)
      .executeTakeFirst();
    return row && visibleSource(row, reach);
  },

  async list(reach, { limit, cursor }) {
    let query = reachedSources(db, reach)
      .orderBy('s.id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('s.id', '<', cursor);
    const rows = await query.execute();
    const page = rows.slice(0, limit).map((row) => visibleSource(row, reach));
    return { sources: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  async listScheduled({ after = null, limit }) {
    const { rows } = await sql<Scope & { scheduleId: string; everyS: number | null }>`
      select id as "scheduleId", tenant, subject, case when deleted_at is null then schedule end as "everyS"
      from sources where ${after}::uuid is null or id > ${after}::uuid order by id limit ${limit}`.execute(db);
    return rows;
  },

  async discard(scope, sourceId) {
    await deleteRow(db, scope, sourceId);
  },

  delete: (scope, sourceId, documents) =>
    db.transaction().execute(async (trx) => {
      if (!isUuid(sourceId)) return false;
      return documents === 'keep' ? deleteRow(trx, scope, sourceId) : hide(trx, scope, sourceId);
    }),
});

async function createSource(
  db: Database,
  principal: Requester,
  request: SourceRequest,
  idempotencyKey: string | null,
): Promise<SourceRow & { isNew: boolean }> {
  const { kind, address, options, collection, readers, tags, everyS } = request;
  const requestHash = hashRequest(request);
  while (true) {
    const inserted = await db
      .insertInto('sources')
      .values({
        id: newId(),
        tenant: principal.tenant,
        subject: principal.subject,
        principal: keptPrincipalOf(principal) ?? null,
        kind,
        address,
        options: JSON.stringify(options),
        collection,
        readers: readers ?? null,
        tags: tags ?? null,
        schedule: everyS ?? null,
        idempotency_key: idempotencyKey,
        request_hash: requestHash,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (inserted) return { ...toSourceRow({ ...inserted, counts: {}, failures: [] }), isNew: true };
    const known =
      idempotencyKey === null ? undefined : await findByIdempotencyKey(db, principal, idempotencyKey, requestHash);
    if (known) return { ...known, isNew: false };
    // If the source in the way was discarded meanwhile, the next attempt succeeds.
    if (await isAddressTaken(db, principal, request)) throw sourceExists(collection);
  }
}

/**
 * The source that was created with this idempotency key; undefined when there is none.
 *
 * @throws AlfredError `idempotency_key_reused` when the request was another one, or the source is being removed
 */
async function findByIdempotencyKey(db: Database, scope: Scope, idempotencyKey: string, requestHash: string) {
  const known = await db
    .selectFrom('sources')
    .select(['id', 'request_hash', 'deleted_at'])
    .where('tenant', '=', scope.tenant)
    .where('subject', '=', scope.subject)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
  if (!known) return undefined;
  const keyReused = (detail: string) =>
    new AlfredError('idempotency_key_reused', `The Idempotency-Key "${idempotencyKey}" was used ${detail}.`);
  if (known.request_hash !== requestHash) throw keyReused(`with another request, for source ${known.id}`);
  if (known.deleted_at !== null) throw keyReused(`for source ${known.id}, which is being removed`);
  const row = await ownedSources(db, scope).where('s.id', '=', known.id).executeTakeFirst();
  return row && toSourceRow(row);
}

async function isAddressTaken(db: Database, scope: Scope, { kind, address, options, collection }: SourceRequest) {
  const source = await ownedSources(db, scope)
    .where('s.kind', '=', kind)
    .where('s.collection', '=', collection)
    .where('s.address', '=', address)
    .where(sql<boolean>`s.options = ${JSON.stringify(options)}::jsonb`)
    .executeTakeFirst();
  return source !== undefined;
}

/** Hides a source until its documents are removed. @returns whether there is such a source */
async function hide(trx: Database, { tenant, subject }: Scope, sourceId: string): Promise<boolean> {
  const hidden = await trx
    .updateTable('sources')
    .set({ deleted_at: sql`coalesce(deleted_at, now())` })
    .where('id', '=', sourceId)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .returning('id')
    .executeTakeFirst();
  if (!hidden) return false;
  await trx.updateTable('source_items').set({ state: 'gone' }).where('source_id', '=', sourceId).execute();
  return true;
}

async function deleteRow(db: Database, { tenant, subject }: Scope, sourceId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('sources')
    .where('id', '=', sourceId)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
