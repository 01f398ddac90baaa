import { sql, type Selectable } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type {
  FailedTask,
  SlackNotification,
  SlackNotifications,
  SlackPostMessage,
} from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

/** What is older is not posted any more. */
const postedWithin = sql`interval '1 day'`;
/** Longer than a cause can be found again. */
const keptFor = sql`interval '7 days'`;
const mostAtOnce = 5_000;

/** Messages that the Slack door posts to a channel of its own accord, as rows. */
export const createSlackNotifications = (db: Database): SlackNotifications => ({
  collectFailures: ({ tenant, team, channel }) =>
    db.transaction().execute(async (trx) => {
      // Another process may do the same at this moment.
      const { rows: locks } = await sql<{ locked: boolean }>`
        select pg_try_advisory_xact_lock(hashtextextended(${`slack-notifications/${team}`}, 0)) as locked`.execute(trx);
      if (!locks[0]?.locked) return 0;
      const { rows: open } = await sql<{ id: string }>`
        select id from slack_notifications
        where kind = 'failures' and tenant = ${tenant} and team = ${team}
          and finished_at is null and owner is null and messages = '[]'
        order by created_at limit 1 for update skip locked`.execute(trx);
      const id = open[0]?.id ?? uuidv7();
      if (!open[0] && (await isTooSoon(trx, { tenant, team }))) return 0;
      const { numAffectedRows } = await sql`
        with failed as materialized (
          select ${receipt} as receipt, t.id from tasks t
          where t.tenant = ${tenant} and t.status = 'failed' and t.ended_at > now() - ${postedWithin}
            and t.erased_at is null
            -- the caller of a task that could not be started got an error, and repeats the request
            and t.error_code is distinct from 'never_started'
            and not exists (select from slack_notification_causes c where c.receipt = ${receipt})
          order by t.ended_at limit ${mostAtOnce}
        ), notification as (
          insert into slack_notifications (id, kind, tenant, team, channel)
          select ${id}::uuid, 'failures', ${tenant}, ${team}, ${channel} where exists (select from failed)
          on conflict (id) do nothing
        )
        insert into slack_notification_causes (receipt, notification_id, task_id)
        select receipt, ${id}::uuid, id from failed`.execute(trx);
      return Number(numAffectedRows ?? 0);
    }),

  async claim(owner, leaseMs, { tenant, team, channel }) {
    const { rows } = await sql<Row>`
      update slack_notifications set owner = ${owner}, leased_until = ${inMs(leaseMs)}, attempts = attempts + 1,
        channel = case when messages = '[]' then ${channel} else channel end
      where id = (
        select id from slack_notifications
        where finished_at is null and team = ${team} and tenant = ${tenant} and due_at <= now()
          and (owner is null or leased_until <= now())
        order by due_at limit 1 for update skip locked)
      returning *`.execute(db);
    return rows[0] && toNotification(rows[0]);
  },

  async failuresOf({ id, tenant }) {
    const { rows } = await sql<FailedTask>`
      select t.id as "taskId", t.agent, t.error_code as code, t.ended_at as "endedAt"
      from slack_notification_causes c join tasks t on t.id = c.task_id
      where c.notification_id = ${id} and t.tenant = ${tenant} and t.erased_at is null and t.ended_at is not null
      order by t.ended_at desc, t.id desc`.execute(db);
    return rows;
  },

  async save(owner, id, messages) {
    const { numUpdatedRows } = await owned(db, owner, id)
      .set({ messages: JSON.stringify(messages) })
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  async finish(owner, id) {
    await owned(db, owner, id)
      .set({ finished_at: sql`now()`, owner: null, leased_until: null })
      .execute();
  },

  retry: (owner, id, afterMs) =>
    db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await owned(trx, owner, id)
        .set({ due_at: inMs(afterMs), owner: null, leased_until: null })
        .executeTakeFirst();
      // Another process has it: what it lacks is that one's to say.
      if (numUpdatedRows !== 1n) return { lost: 0, left: 1 };
      const { numAffectedRows } = await sql`
        delete from slack_notification_causes c where c.notification_id = ${id} and not exists (
          select from tasks t where t.id = c.task_id and t.ended_at > now() - ${postedWithin})`.execute(trx);
      const { rows } = await sql<{ left: number }>`
        select count(*)::int as left from slack_notification_causes where notification_id = ${id}`.execute(trx);
      const left = rows[0]?.left ?? 0;
      if (left === 0)
        await sql`update slack_notifications set finished_at = now() where id = ${id}`.execute(trx);
      return { lost: Number(numAffectedRows ?? 0), left };
    }),

  async removeOld() {
    const { numAffectedRows } = await sql`
      delete from slack_notifications where id in (
        select id from slack_notifications where created_at < now() - ${keptFor}
        limit ${mostAtOnce} for update skip locked)`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

type Row = Selectable<Tables['slack_notifications']>;

/** A task that was reset and fails again has another run. */
const receipt = sql`'failed:' || t.id || ':' || coalesce(t.run_id, '')`;

const inMs = (ms: number) => sql<Date>`now() + make_interval(secs => ${ms / 1_000})`;

/** After one in the last hour a minute passes, after two of them two, then 4, 8, and 16 at most. */
async function isTooSoon(db: Database, { tenant, team }: { tenant: string; team: string }): Promise<boolean> {
  const { rows } = await sql<{ tooSoon: boolean | null }>`
    select max(created_at) + interval '1 minute' * power(2, least(count(*), 5) - 1) > now() as "tooSoon"
    from slack_notifications
    where created_at > now() - interval '1 hour' and kind = 'failures' and tenant = ${tenant} and team = ${team}`.execute(
    db,
  );
  return rows[0]?.tooSoon ?? false;
}

/** Changes nothing when another owner has the notification. */
const owned = (db: Database, owner: string, id: string) =>
  db.updateTable('slack_notifications').where('id', '=', id).where('owner', '=', owner);

const toNotification = (row: Row): SlackNotification => ({
  id: row.id,
  kind: row.kind as SlackNotification['kind'],
  tenant: row.tenant,
  team: row.team,
  channel: row.channel,
  messages: row.messages as SlackPostMessage[],
  attempts: row.attempts,
});
