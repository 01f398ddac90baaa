import { sql, type Selectable } from 'kysely';
import type {
  ApprovalRow,
  FailedTask,
  NotifiedApproval,
  NotifiedRun,
  SlackNotification,
  SlackNotifications,
  SlackPostMessage,
} from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { toApprovalRow } from '../approvals/approval-row.ts';
import { collectApprovals } from './collect-approvals.ts';
import { collectFailures, postedWithin } from './collect-failures.ts';
import { inMs } from './in-ms.ts';

/** Longer than a cause can be found again. What no process shows any more, because its channel is unset, goes too. */
const keptFor = sql`interval '7 days'`;
const mostAtOnce = 5_000;

/** Messages that the Slack door posts to a channel of its own accord, as rows. */
export const createSlackNotifications = (db: Database): SlackNotifications => ({
  collectFailures: (target) => collectFailures(db, target),
  collectApprovals: (target) => collectApprovals(db, target),

  async claim(owner, leaseMs, { tenant, team, channel, kinds }) {
    const { rows } = await sql<Row>`
      update slack_notifications set owner = ${owner}, leased_until = ${inMs(leaseMs)}, attempts = attempts + 1,
        channel = case when messages = '[]' then coalesce(${channel ?? null}::text, channel) else channel end
      where id = (
        select id from slack_notifications
        where finished_at is null and team = ${team} and tenant = ${tenant} and due_at <= now()
          and kind = any(${kinds})
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

  async approvalsOf({ id, tenant }) {
    const rows = await db
      .selectFrom('slack_notification_causes as c')
      .innerJoin('approvals as a', 'a.id', 'c.approval_id')
      .selectAll('a')
      .where('c.notification_id', '=', id)
      .where('a.tenant', '=', tenant)
      .orderBy('a.requested_at')
      .execute();
    return rows.map((row) => withoutContent(toApprovalRow(row)));
  },

  async runOf({ id, tenant }) {
    const { rows } = await sql<NotifiedRun>`
      select s.name, s.subject, r.error_code as code
      from slack_notification_causes c
      join schedule_runs r on r.schedule_id = c.schedule_id and r.key = c.run_key
      join schedules s on s.id = r.schedule_id
      where c.notification_id = ${id} and s.tenant = ${tenant} and r.error_code is not null`.execute(db);
    return rows[0];
  },

  async save(owner, id, messages) {
    const { numUpdatedRows } = await owned(db, owner, id)
      .set({ messages: JSON.stringify(messages) })
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  async finish(owner, id) {
    await owned(db, owner, id)
      .set({ finished_at: sql`now()`, owner: null, leased_until: null, code: null })
      .execute();
  },

  async park(owner, id) {
    await owned(db, owner, id)
      .set({ due_at: sql<Date>`'infinity'::timestamptz`, owner: null, leased_until: null, code: null })
      .execute();
  },

  retry: (owner, id, afterMs, code) => retry(db, owner, id, { afterMs, code }),

  async findProblem({ tenant, team, kinds }) {
    const { rows } = await sql<{ code: string }>`
      select code from slack_notifications
      where finished_at is null and team = ${team} and tenant = ${tenant} and kind = any(${kinds}) and code is not null
      order by due_at limit 1`.execute(db);
    return rows[0]?.code;
  },

  async removeOld() {
    const { numAffectedRows } = await sql`
      delete from slack_notifications where id in (
        select id from slack_notifications n
        where created_at < now() - ${keptFor} and case when finished_at is null
          then changed_at < now() - ${keptFor} and not exists (
            select from slack_notification_causes c where c.notification_id = n.id and ${isPending})
          else finished_at < now() - ${keptFor} end
        limit ${mostAtOnce} for update skip locked)`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

const retry = (
  db: Database,
  owner: string,
  id: string,
  { afterMs, code }: { afterMs: number; code: string | undefined },
): ReturnType<SlackNotifications['retry']> =>
  db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await owned(trx, owner, id)
      .set({ due_at: inMs(afterMs), owner: null, leased_until: null, ...(code === undefined ? {} : { code }) })
      .executeTakeFirst();
    // Another process has it: what it lacks is that one's to say.
    if (numUpdatedRows !== 1n) return { lost: 0, left: 1 };
    const { numAffectedRows } = await sql`
      delete from slack_notification_causes c using slack_notifications n
      where n.id = ${id} and c.notification_id = n.id and case when n.kind = 'failures'
        then not exists (select from tasks t where t.id = c.task_id and t.ended_at > now() - ${postedWithin})
        -- what still waits for a person is worth posting, however late
        else n.changed_at < now() - ${postedWithin} and not ${isPending} end`.execute(trx);
    const { rows } = await sql<{ left: number }>`
      select count(*)::int as left from slack_notification_causes where notification_id = ${id}`.execute(trx);
    const left = rows[0]?.left ?? 0;
    if (left === 0) await sql`update slack_notifications set finished_at = now() where id = ${id}`.execute(trx);
    return { lost: Number(numAffectedRows ?? 0), left };
  });

const withoutContent = ({ decision, ...row }: ApprovalRow): NotifiedApproval => ({
  id: row.id,
  taskId: row.taskId,
  agent: row.agent,
  tool: row.tool,
  status: row.status,
  approvers: row.approvers,
  fourEyes: row.fourEyes,
  onExpiry: row.onExpiry,
  expiresAt: row.expiresAt,
  decidedBy: decision?.by ?? null,
  runs: decision?.runs ?? false,
});

/** Of a cause `c`. */
const isPending = sql<boolean>`exists (select from approvals a where a.id = c.approval_id and a.status = 'pending')`;

type Row = Selectable<Tables['slack_notifications']>;

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
