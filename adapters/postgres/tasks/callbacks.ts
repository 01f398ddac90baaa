import { sql, type Selectable } from 'kysely';
import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { Callback, CallbackState } from '../../../contract/callback.ts';
import type { CallbackRef, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import type { CallbackAttempt, CallbackOutcome, Callbacks } from '../../../contract/ports/index.ts';
import { createPushCallbacks } from './push-callbacks.ts';

/**
 * Callbacks, one a task or upload. A callback is due while its state is `waiting` and what it reports has ended. The
 * first attempt, or the first time that it is put off, sets `delivering` and counts a delivery; the last attempt sets
 * `delivered` or `failed`.
 */
export const createCallbacks = (db: Database): Callbacks => ({
  async get(callback) {
    const { rows } = await sql<Selectable<Tables['callbacks']>>`
      select url, state, deliveries, attempts, last_attempt_at, last_status, last_error, delivered_at
      from callbacks where ${isCallback(callback)}
        and not exists (select from tasks where id = task_id and erased_at is not null)`.execute(db);
    const [row] = rows;
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

  async redeliver(callback) {
    const { rows } = await sql`select from callbacks where ${isCallback(callback)} and secret = ''`.execute(db);
    if (rows.length > 0)
      throw new AlfredError(
        'callback_missing',
        'The secret of this callback was removed 30 days after its delivery, so it cannot be signed again. Read the result instead.',
      );
    await sql`
      update callbacks set state = 'waiting', updated_at = now()
      where ${isCallback(callback)} and ${hasEnded}`.execute(db);
  },

  ...createPushCallbacks(db),

  async beginAttempt(callback) {
    const { rows } = await sql<StoredAttempt>`
      update callbacks set state = 'delivering', deliveries = deliveries + (state = 'waiting')::int,
        attempts = attempts + 1, last_attempt_at = now(), updated_at = now(),
        failing_since = case when state = 'waiting' then null
          -- the receiver was not asked for long, and that time does not count
          when last_attempt_at < now() - ${overdueAfter}::interval
            then failing_since + (now() - last_attempt_at - ${longestInterval}::interval)
          else failing_since end
      where ${isDue(callback)}
      returning url, secret, push_id as "pushId", deliveries as delivery, attempts as attempt`.execute(db);
    return rows[0] && toAttempt(rows[0]);
  },

  async putOff(callback) {
    const { numAffectedRows } = await sql`
      update callbacks set state = 'delivering', deliveries = deliveries + (state = 'waiting')::int, updated_at = now(),
        failing_since = case when state = 'delivering' then failing_since end
      where ${isDue(callback)}`.execute(db);
    return Number(numAffectedRows) > 0;
  },

  async settleAttempt(callback, { attempt }, { state, status, error }) {
    const { rows } = await sql<Pick<CallbackOutcome, 'state'>>`
      update callbacks set last_status = ${status}::int, last_error = ${error}::text, updated_at = now(),
        state = case when ${state} = 'delivering' and failing_since < now() - ${givenUpAfter}::interval then 'failed'
          else ${state} end,
        failing_since = case when ${state} = 'delivering' then coalesce(failing_since, now()) end,
        delivered_at = case when ${state} = 'delivered' then now() else delivered_at end
      where ${isCallback(callback)} and state = 'delivering' and attempts = ${attempt}
      returning state`.execute(db);
    return rows[0]?.state ?? state;
  },

  async giveUp(callback) {
    await sql`
      update callbacks set state = 'failed', last_error = coalesce(last_error, 'Nobody answered.'), updated_at = now()
      where ${isCallback(callback)} and state = 'delivering'`.execute(db);
  },

  async listOverdue(limit) {
    const { rows } = await sql<Scope & { task_id: string | null; ingestion_id: string }>`
      select task_id, ingestion_id, tenant, subject from callbacks
      where (state = 'waiting' or state = 'delivering' and updated_at < now() - ${overdueAfter}::interval)
        and ${hasEnded}
      order by updated_at limit ${limit}`.execute(db);
    return rows.map(({ task_id: taskId, ingestion_id: ingestionId, tenant, subject }): CallbackRef =>
      taskId === null ? { ingestionId, tenant, subject } : { taskId, tenant, subject },
    );
  },

  async removeOldSecrets(limit) {
    const { numAffectedRows } = await sql`
      update callbacks set secret = '' where ctid = any(array(
        select ctid from callbacks
        where state in ('delivered', 'failed') and secret <> '' and updated_at < now() - ${secretsKeptFor}::interval
        order by updated_at limit ${limit} for update skip locked))`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

type StoredAttempt = { url: string; secret: string; pushId: string | null; delivery: number; attempt: number };

const toAttempt = ({ secret, pushId, ...attempt }: StoredAttempt): CallbackAttempt =>
  pushId === null ? { ...attempt, secret } : { ...attempt, push: JSON.parse(secret) as CallbackAttempt['push'] & {} };

/** How long a settled callback can be delivered again. */
const secretsKeptFor = '30 days';

/** The longest time between two attempts, which workflows/policies.ts sets. */
const longestInterval = '1 hour';
/** After twice that time the workflow of a delivery is gone, or our own database was away. */
const overdueAfter = '2 hours';
/** Gives people time to repair the receiver. */
const givenUpAfter = '24 hours';

const isDue = (callback: CallbackRef) =>
  sql`${isCallback(callback)} and state in ('waiting', 'delivering') and ${hasEnded}`;

function isCallback({ tenant, subject, ...owner }: CallbackRef) {
  const id = 'taskId' in owner ? owner.taskId : owner.ingestionId;
  const column = sql.ref('taskId' in owner ? 'task_id' : 'ingestion_id');
  return sql`${column} = ${isUuid(id) ? id : null}::uuid and tenant = ${tenant} and subject = ${subject}`;
}

// The caller of a task that could not be started got an error, and repeats the request.
const hasEnded = sql`(
  exists (select from tasks where id = task_id and ended_at is not null and error_code is distinct from 'never_started')
  or exists (select from ingestions where id = ingestion_id and ended_at is not null))`;

/** Stores the callback of an upload. */
export const insertIngestionCallback = (
  db: Database,
  { tenant, subject }: Scope,
  ingestionId: string,
  { url, secret }: Callback,
) =>
  db
    .insertInto('callbacks')
    .values({
      ingestion_id: ingestionId,
      task_id: null,
      tenant,
      subject,
      url,
      secret,
      last_attempt_at: null,
      last_status: null,
      last_error: null,
      delivered_at: null,
    })
    .execute();

/** Gives an upload the callback of another one, if that has one. */
export const copyIngestionCallback = (db: Database, from: string, to: string) =>
  sql`
    insert into callbacks (ingestion_id, tenant, subject, url, secret)
    select ${to}, tenant, subject, url, secret from callbacks where ingestion_id = ${from} and secret <> ''`.execute(
    db,
  );

/** Stores the callback of `task`, the row that the same statement inserts. */
export const insertCallback = (callback: Callback | undefined) => sql`
  insert into callbacks (task_id, tenant, subject, url, secret)
  select id, tenant, subject, ${callback?.url}::text, ${callback?.secret}::text from task where ${callback !== undefined}`;

/**
 * Makes the callback of `task` due, the row that the same statement
 * ends. A task that was reset and ends again calls again.
 */
export const makeCallbackDue = sql`
  update callbacks set state = 'waiting', updated_at = now() where task_id in (select id from task) returning task_id`;
