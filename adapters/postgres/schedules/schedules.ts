import { sql } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import { keptPrincipalOf } from '../../../contract/principal.ts';
import type { Reach, Scope, ScheduleRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ScheduleRow, Schedules } from '../../../contract/ports/index.ts';
import { hashRequest } from '../hashes.ts';
import { requireCursor } from '../require-cursor.ts';
import { toScheduleRow, selectSchedules } from './schedule-row.ts';
import { createScheduleRuns } from './schedule-runs.ts';

/** Schedule rows. */
export const createSchedules = (db: Database): Schedules => ({
  ...createScheduleRuns(db),

  async create(principal, request, { idempotencyKey = null }) {
    const requestHash = hashRequest(request);
    while (true) {
      const inserted = await db
        .insertInto('schedules')
        .values({
          id: newId(),
          tenant: principal.tenant,
          subject: principal.subject,
          roles: [...principal.roles],
          principal: keptPrincipalOf(principal) ?? null,
          name: request.name,
          timing: JSON.stringify(request.timing),
          action: JSON.stringify(request.action),
          paused: request.paused,
          note: request.note ?? null,
          idempotency_key: idempotencyKey,
          request_hash: requestHash,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant', 'subject', 'idempotency_key'])
            .where('idempotency_key', 'is not', null)
            .doNothing(),
        )
        .returningAll()
        .executeTakeFirst();
      if (inserted) return toScheduleRow({ ...inserted, recent_runs: [], running: 0 });
      const earlier = await findRepeated(db, principal, idempotencyKey ?? '', requestHash);
      // The earlier schedule may have been discarded in the meantime, which frees its key: insert again.
      if (earlier) return earlier;
    }
  },

  get: (reach, scheduleId) => findSchedule(db, reach, scheduleId),

  async list(reach, { limit, cursor }) {
    requireCursor(cursor);
    let query = selectSchedules(db)
      .where('s.tenant', '=', reach.tenant)
      .orderBy('s.id', 'desc')
      .limit(limit + 1);
    if (reach.of !== 'tenant') query = query.where('s.subject', '=', reach.subject);
    if (cursor !== undefined) query = query.where('s.id', '<', cursor);
    const rows = await query.execute();
    const page = rows.slice(0, limit).map(toScheduleRow);
    return { schedules: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  change: (reach, scheduleId, { name, timing, action, paused, note }, { ifUpdatedAt } = {}) =>
    db.transaction().execute(async (trx) => {
      // Locked, so that `before` is what this change replaces.
      if (!isUuid(scheduleId) || !(await lockSchedule(trx, reach, scheduleId))) return undefined;
      const before = await findSchedule(trx, reach, scheduleId);
      if (!before || (ifUpdatedAt !== undefined && before.updatedAt !== ifUpdatedAt)) return undefined;
      await updateSchedule(trx, reach, scheduleId)
        .set({
          updated_at: sql`clock_timestamp()`,
          ...(name === undefined ? {} : { name }),
          ...(timing === undefined ? {} : { timing: JSON.stringify(timing) }),
          ...(action === undefined ? {} : { action: JSON.stringify(action) }),
          ...(paused === undefined ? {} : { paused }),
          ...(note === undefined ? {} : { note }),
        })
        .execute();
      const row = await findSchedule(trx, reach, scheduleId);
      return row && { before, row };
    }),

  async delete(reach, scheduleId) {
    const deleted = await updateSchedule(db, reach, scheduleId)
      // The action is removed, because it holds the input and the secret of a callback.
      .set({ deleted_at: sql`now()`, action: '{}' })
      .returning('id')
      .executeTakeFirst();
    return deleted !== undefined;
  },

  listScheduled: (page) => listScheduled(db, page),

  markSent: (scope, scheduleId, updatedAt) => markSent(db, scope, scheduleId, updatedAt),

  async discard({ tenant, subject }, scheduleId) {
    await db
      .deleteFrom('schedules as s')
      .where('s.id', '=', scheduleId)
      .where('s.tenant', '=', tenant)
      .where('s.subject', '=', subject)
      .where(sql<boolean>`not exists (select from schedule_runs where schedule_id = s.id)`)
      .execute();
  },
});

async function findSchedule(
  db: Database,
  { tenant, subject, of }: Reach,
  scheduleId: string,
): Promise<ScheduleRow | undefined> {
  if (!isUuid(scheduleId)) return undefined;
  const ofTenant = selectSchedules(db).where('s.id', '=', scheduleId).where('s.tenant', '=', tenant);
  const row = await (of === 'tenant' ? ofTenant : ofTenant.where('s.subject', '=', subject)).executeTakeFirst();
  return row && toScheduleRow(row);
}

function lockSchedule(trx: Database, { tenant, subject, of }: Reach, scheduleId: string) {
  const ofTenant = trx
    .selectFrom('schedules')
    .select('id')
    .where('id', '=', scheduleId)
    .where('tenant', '=', tenant)
    .where('deleted_at', 'is', null)
    .forUpdate();
  return (of === 'tenant' ? ofTenant : ofTenant.where('subject', '=', subject)).executeTakeFirst();
}

function updateSchedule(db: Database, { tenant, subject, of }: Reach, scheduleId: string) {
  const ofTenant = db
    .updateTable('schedules')
    .where('id', '=', scheduleId)
    .where('tenant', '=', tenant)
    .where('deleted_at', 'is', null);
  return of === 'tenant' ? ofTenant : ofTenant.where('subject', '=', subject);
}

async function listScheduled(
  db: Database,
  { after = null, limit }: { after?: string | null | undefined; limit: number },
): ReturnType<Schedules['listScheduled']> {
  const { rows } = await sql<ScheduleRef & { isWanted: boolean; isSent: boolean; updatedAt: Date }>`
    select id as "scheduleId", tenant, subject, updated_at as "updatedAt",
      coalesce(temporal_at >= updated_at, false) as "isSent",
      deleted_at is null and coalesce((timing ->> 'endAt')::timestamptz > now(), true) as "isWanted"
    from schedules where ${after}::uuid is null or id > ${after}::uuid order by id limit ${limit}`.execute(db);
  return rows;
}

async function markSent(db: Database, scope: Scope, scheduleId: string, updatedAt: string): Promise<void> {
  await updateSchedule(db, scope, scheduleId)
    .set({ temporal_at: sql`updated_at` })
    // The driver cuts microseconds off.
    .where(sql<boolean>`date_trunc('milliseconds', updated_at) = ${updatedAt}::timestamptz`)
    .execute();
}

/**
 * The schedule that an idempotency key belongs to already, or undefined when it is not there any more.
 *
 * @throws AlfredError `idempotency_key_reused`
 */
async function findRepeated(db: Database, { tenant, subject }: Scope, idempotencyKey: string, requestHash: string) {
  const row = await db
    .selectFrom('schedules')
    .select(['id', 'request_hash', 'deleted_at'])
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
  if (!row) return undefined;
  const reused = (how: string) =>
    new AlfredError('idempotency_key_reused', `The Idempotency-Key "${idempotencyKey}" was used ${how}.`);
  if (row.request_hash !== requestHash) throw reused(`with another request, for schedule ${row.id}`);
  if (row.deleted_at !== null) throw reused(`for schedule ${row.id}, which was deleted`);
  return findSchedule(db, { tenant, subject }, row.id);
}
