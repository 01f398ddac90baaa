import { sql } from 'kysely';
import type { SlackRunResults } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { signedInAt } from './slack-user-links.ts';

const mostAtOnce = 100;
/** Longer than a Slack door tries to post it. */
const givenUpAfter = sql`interval '25 hours'`;

/** What ended earlier is not posted any more. */
const postedWithin = sql`interval '1 day'`;

/** The message of a run, where it sends one. */
const ownMessage = sql`conversation_messages m on m.conversation_id = r.conversation_id and m.id = r.message_id`;

/** Its message waits for a task that has no row yet. */
const waitingStates = sql`('received', 'queued', 'steering', 'running')`;
/** The message has no answer of its own. */
const unansweredStates = sql`('steered', 'passed_over', 'rolled_back', 'dropped')`;

/** The task whose answer is that of a run. A task that was running when its message came may answer another one. */
const ownTask = sql`case when m.state is null then r.task_id when m.state <> 'steered' then m.task_id end`;

/** What schedules have to post, as rows: a run names its channel until its post is made. */
export const createSlackRunResults = (db: Database): SlackRunResults => ({
  collect: (of) => collect(db, of),

  async giveUp(limit) {
    const { rows } = await sql<{ tenant: string; count: number }>`
      with old as materialized (
        select r.schedule_id, r.key from schedule_runs r
        left join ${ownMessage} left join tasks t on t.id = ${ownTask}
        where r.slack_channel is not null and r.started_at < now() - ${givenUpAfter}
          and case when t.id is null then coalesce(m.state, '') not in ${waitingStates}
            else t.ended_at < now() - ${givenUpAfter} end
        order by r.started_at limit ${limit} for update of r skip locked
      ), given_up as (
        update schedule_runs r set slack_channel = null from old
        where r.schedule_id = old.schedule_id and r.key = old.key returning r.schedule_id
      )
      select s.tenant, count(*)::int as count from given_up g join schedules s on s.id = g.schedule_id
      group by s.tenant order by s.tenant`.execute(db);
    return rows;
  },

  async nameOf({ tenant, taskId }) {
    const row = await db
      .selectFrom('tasks as t')
      .innerJoin('schedules as s', 's.id', 't.schedule_id')
      .select('s.name')
      .where('t.id', '=', taskId)
      .where('t.tenant', '=', tenant)
      .where('s.tenant', '=', tenant)
      .executeTakeFirst();
    return row?.name;
  },

  async slackUsersOf({ tenant, subject, team }, maxAgeDays) {
    const { rows } = await sql<{ userId: string }>`
      select l.user_id as "userId"
      from slack_links l left join subjects s on s.tenant = l.tenant and s.subject = l.subject
      where l.tenant = ${tenant} and l.subject = ${subject} and l.team = ${team}
        and ${signedInAt} >= now() - ${maxAgeDays}::float8 * interval '1 day'`.execute(db);
    return rows.map(({ userId }) => userId);
  },
});

/** Whether the answer says that there is nothing to report. */
const isQuiet = sql`exists (
  select from task_events e where e.task_id = t.id and e.type = 'task.completed' and e.data -> 'result' ? 'quiet')`;

async function collect(
  db: Database,
  { tenant, team }: { tenant: string; team: string },
): ReturnType<SlackRunResults['collect']> {
  const { rows } = await sql<{ posts: number; elsewhere: number; quiet: number }>`
    with due as materialized (
      select r.schedule_id, r.key, r.slack_channel as channel, t.id as task_id, t.subject, t.agent, t.last_seq, m.state,
        t.erased_at is null and coalesce(m.state, '') not in ${unansweredStates} as is_answered,
        ${isQuiet} as is_quiet, r.task_id is null and r.error_code is not null as has_not_begun
      from schedule_runs r join schedules s on s.id = r.schedule_id
      left join ${ownMessage}
      left join tasks t on t.id = ${ownTask} and t.tenant = s.tenant and t.subject = s.subject
      where r.slack_channel is not null and s.tenant = ${tenant} and (
        t.ended_at > now() - ${postedWithin} or m.state in ${unansweredStates}
        or (r.task_id is null and r.error_code is not null and r.started_at > now() - ${postedWithin}))
      order by r.started_at limit ${mostAtOnce} for update of r skip locked
    ), answer as (
      select * from due where task_id is not null and is_answered and not is_quiet
    ), post as (
      insert into slack_posts
        (id, task_id, tenant, subject, agent, team, channel, thread_ts, user_id, question_ts, seq)
      select gen_random_uuid(), task_id, ${tenant}, subject, agent, ${team}, channel, '', '', ${aWhileAgo}, last_seq
      from answer
      on conflict (task_id) do nothing returning 1
    ), failure as (
      select gen_random_uuid() as id, * from due where has_not_begun
    ), notification as (
      insert into slack_notifications (id, kind, tenant, team, channel)
      select id, 'run', ${tenant}, ${team}, channel from failure
    ), cause as (
      insert into slack_notification_causes (receipt, notification_id, schedule_id, run_key)
      select 'run:' || schedule_id || ':' || key, id, schedule_id, key from failure
    ), done as (
      update schedule_runs r set slack_channel = null from due where r.schedule_id = due.schedule_id and r.key = due.key
    )
    select (select count(*)::int from post) as posts,
      (select count(*)::int from answer) - (select count(*)::int from post)
        + (select count(*)::int from due where state = 'steered') as elsewhere,
      (select count(*)::int from due where is_answered and is_quiet) as quiet`.execute(db);
  return rows[0] ?? { posts: 0, elsewhere: 0, quiet: 0 };
}

/** None of its messages can be older, also when the clocks of Slack and Postgres differ. */
const aWhileAgo = sql`trunc(extract(epoch from now()) - 600)::text`;
