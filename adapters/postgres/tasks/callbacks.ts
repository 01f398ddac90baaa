import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Callback, CallbackState } from '../../../contract/callback.ts';
import type { CallbackRef, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CallbackAttempt, Callbacks } from '../../../contract/ports/index.ts';

/**
 * Callbacks, one a task. A callback is due while its state is `waiting` and its task has ended. The first attempt sets
 * `delivering` and counts a delivery; the last attempt sets `delivered` or `failed`.
 */
export const createCallbacks = (db: Database): Callbacks => ({
  async get(scope, taskId) {
    if (!isUuid(taskId)) return undefined;
    const row = await selectCallback(db, scope, taskId).selectAll().executeTakeFirst();
    return (
      row && {
        url: row.url,
        state: row.state as CallbackState['state'],
        deliveries: row.deliveries,
        attempts: row.attempts,
        lastAttemptAt: row.last_attempt_at?.toISOString() ?? null,
        lastStatus: row.last_status,
        lastError: row.last_error,
        deliveredAt: row.delivered_at?.toISOString() ?? null,
      }
    );
  },

  async redeliver(scope, taskId) {
    await sql`
      update callbacks set state = 'waiting', updated_at = now()
      where ${isCallbackOf(scope, taskId)} and ${hasEnded}`.execute(db);
  },

  async beginAttempt(scope, taskId) {
    const { rows } = await sql<CallbackAttempt>`
      update callbacks set state = 'delivering', deliveries = deliveries + (state = 'waiting')::int,
        attempts = attempts + 1, last_attempt_at = now(), updated_at = now()
      where ${isCallbackOf(scope, taskId)} and state in ('waiting', 'delivering') and ${hasEnded}
      returning url, secret, deliveries as delivery, attempts as attempt`.execute(db);
    return rows[0];
  },

  async settleAttempt(scope, taskId, { attempt }, { state, status, error }) {
    await sql`
      update callbacks set state = ${state}, last_status = ${status}::int, last_error = ${error}::text, updated_at = now(),
        delivered_at = case when ${state} = 'delivered' then now() else delivered_at end
      where ${isCallbackOf(scope, taskId)} and state = 'delivering' and attempts = ${attempt}`.execute(db);
  },

  async giveUp(scope, taskId) {
    await sql`
      update callbacks set state = 'failed', last_error = coalesce(last_error, 'Nobody answered.'), updated_at = now()
      where ${isCallbackOf(scope, taskId)} and state = 'delivering'`.execute(db);
  },

  async listOverdue(limit) {
    const { rows } = await sql<{ task_id: string; tenant: string; subject: string }>`
      select task_id, tenant, subject from callbacks
      where (state = 'waiting' or state = 'delivering' and updated_at < now() - ${overdueAfter}::interval)
        and ${hasEnded}
      order by updated_at limit ${limit}`.execute(db);
    return rows.map(({ task_id: taskId, tenant, subject }): CallbackRef => ({ taskId, tenant, subject }));
  },
});

/** Attempts are at most an hour apart. After twice that time their workflow is gone. */
const overdueAfter = '2 hours';

const isCallbackOf = ({ tenant, subject }: Scope, taskId: string) =>
  sql`task_id = ${taskId} and tenant = ${tenant} and subject = ${subject}`;

const hasEnded = sql`exists (select from tasks where id = task_id and ended_at is not null)`;

const selectCallback = (db: Database, { tenant, subject }: Scope, taskId: string) =>
  db.selectFrom('callbacks').where('task_id', '=', taskId).where('tenant', '=', tenant).where('subject', '=', subject);

/** Stores the callback of `task`, the row that the same statement inserts. */
export const insertCallback = (callback: Callback | undefined) => sql`
  insert into callbacks (task_id, tenant, subject, url, secret)
  select id, tenant, subject, ${callback?.url}::text, ${callback?.secret}::text from task where ${callback !== undefined}`;

/**
 * Makes the callback of `task` due, the row that the same statement
 * ends. A task that was reset and ends again calls again.
 */
export const makeCallbackDue = sql`
  update callbacks set state = 'waiting', updated_at = now() where task_id in (select id from task)`;
