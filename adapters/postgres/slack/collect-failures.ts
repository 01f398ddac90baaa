import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { testAgentPattern } from '../../../contract/ids.ts';
import type { SlackNotifications } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { exclusively } from './exclusively.ts';
import { isTooSoon } from './is-too-soon.ts';

/** What is older is not posted any more. */
export const postedWithin = sql`interval '1 day'`;
const mostAtOnce = 5_000;

type Target = Parameters<SlackNotifications['collectFailures']>[0];

/** Which tasks have failed: rows that name them. */
export const collectFailures = (db: Database, { tenant, team, channel }: Target): Promise<number> =>
  exclusively(db, team, async (trx) => {
    const { rows: open } = await sql<{ id: string }>`
      select id from slack_notifications
      where kind = 'failures' and tenant = ${tenant} and team = ${team}
        and finished_at is null and owner is null and messages = '[]'
      order by created_at limit 1 for update skip locked`.execute(trx);
    const id = open[0]?.id ?? uuidv7();
    if (!open[0] && (await isTooSoon(trx, { tenant, team, kinds: ['failures'] }))) return 0;
    const { numAffectedRows } = await sql`
      with failed as materialized (
        select ${receipt} as receipt, t.id from tasks t
        where t.tenant = ${tenant} and t.status = 'failed' and t.ended_at > now() - ${postedWithin}
          and t.erased_at is null and t.agent not like ${testAgentPattern}
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
  });

/** A task that was reset and fails again has another run. */
const receipt = sql`'failed:' || t.id || ':' || coalesce(t.run_id, '')`;
