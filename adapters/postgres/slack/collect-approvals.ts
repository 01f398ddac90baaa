import { sql } from 'kysely';
import { testAgentPattern } from '../../../contract/ids.ts';
import type { SlackNotifications } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { exclusively } from './exclusively.ts';
import { countLately, isTooSoon } from './is-too-soon.ts';

const mostSingle = 10;
const mostAtOnce = 1_000;

type Target = Parameters<SlackNotifications['collectApprovals']>[0];

/** What waits for an approval: rows that name it, and those again whose message is not true any more. */
export const collectApprovals = (db: Database, target: Target): Promise<number> =>
  exclusively(db, target.team, async (trx) => {
    await showOutcomes(trx, target);
    await askAgain(trx, target);
    return askFirst(trx, target);
  });

async function showOutcomes(trx: Database, { tenant, team }: Target): Promise<void> {
  await sql`
    update slack_notifications n set due_at = now(), changed_at = now()
    where n.team = ${team} and n.tenant = ${tenant} and n.finished_at is null and n.due_at = 'infinity'
      and not exists (
        select from slack_notification_causes c join approvals a on a.id = c.approval_id
        where c.notification_id = n.id and a.status = 'pending')`.execute(trx);
}

/** A task that had ended and was reset waits for the same approvals again. A new message says so. */
async function askAgain(trx: Database, { tenant, team }: Target): Promise<void> {
  await sql`
    update slack_notifications n set finished_at = null, due_at = now(), changed_at = now(), attempts = 0,
      messages = '[]'
    from (${waiting(tenant)}) asked join slack_notification_causes c on c.receipt = asked.receipt
    where n.id = c.notification_id and n.team = ${team} and n.finished_at is not null`.execute(trx);
}

/** So many in an hour have a message of their own each. What comes then comes in one message, after a while. */
async function askFirst(trx: Database, { tenant, team, channel }: Target): Promise<number> {
  const of = { tenant, team, kinds: ['approval', 'escalation'] };
  const free = mostSingle - (await countLately(trx, of));
  if (free <= 0 && (await isTooSoon(trx, of, mostSingle))) return 0;
  const { numAffectedRows } = await sql`
    with asked as materialized (
      select gen_random_uuid() as id, asked.* from (${waiting(tenant)}) asked
      where not exists (select from slack_notification_causes c where c.receipt = asked.receipt)
      order by requested_at limit ${free > 0 ? free : mostAtOnce}
    ), due as materialized (
      select kind, receipt, approval_id, task_id,
        case when ${free > 0}::boolean then id else first_value(id) over (partition by kind order by requested_at) end as id
      from asked
    ), notification as (
      insert into slack_notifications (id, kind, tenant, team, channel)
      select distinct id, kind, ${tenant}, ${team}, ${channel} from due
    )
    insert into slack_notification_causes (receipt, notification_id, task_id, approval_id)
    select receipt, id, task_id, approval_id from due`.execute(trx);
  return Number(numAffectedRows ?? 0);
}

/**
 * Pending approvals, but for those that a message in a thread shows: who has asked in Slack decides there. A test of an
 * agent decides by itself.
 */
const waiting = (tenant: string) => sql`
  select kind, kind || ':' || id as receipt, id as approval_id, task_id, requested_at
  from (
    select id, task_id, requested_at, case when escalated_at is null then 'approval' else 'escalation' end as kind
    from approvals where tenant = ${tenant} and status = 'pending' and agent not like ${testAgentPattern}
  ) a
  where not exists (
    select from slack_posts p where p.task_id = a.task_id and p.finished_at is null and p.thread_ts <> '')`;
