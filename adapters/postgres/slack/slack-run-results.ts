import { sql } from 'kysely';
import type { SlackRunResults } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

const mostAtOnce = 100;
/** Longer than a Slack door tries: it can then say itself that it gives up. */
const givenUpAfter = sql`interval '25 hours'`;

/** Answers of schedules that are to be posted, as rows: a run names its channel until its post is made. */
export const createSlackRunResults = (db: Database): SlackRunResults => ({
  async collect({ tenant, team }) {
    const { rows } = await sql<{ posts: number; late: number }>`
      with due as materialized (
        select r.schedule_id, r.key, r.slack_channel as channel, t.id as task_id, t.subject, t.agent, t.last_seq,
          t.erased_at is null as is_there, t.ended_at > now() - interval '1 day' as is_new
        from schedule_runs r join schedules s on s.id = r.schedule_id
        join tasks t on t.id = r.task_id and t.tenant = s.tenant and t.subject = s.subject
        where r.slack_channel is not null and s.tenant = ${tenant} and t.ended_at is not null
        order by r.started_at limit ${mostAtOnce} for update of r skip locked
      ), post as (
        insert into slack_posts
          (id, task_id, tenant, subject, agent, team, channel, thread_ts, user_id, question_ts, seq)
        select gen_random_uuid(), task_id, ${tenant}, subject, agent, ${team}, channel, '', '', ${aWhileAgo}, last_seq
        from due where is_there and is_new
        on conflict (task_id) do nothing returning 1
      ), done as (
        update schedule_runs r set slack_channel = null from due where r.schedule_id = due.schedule_id and r.key = due.key
      )
      select (select count(*)::int from post) as posts, count(*) filter (where is_there and not is_new)::int as late
      from due`.execute(db);
    return rows[0] ?? { posts: 0, late: 0 };
  },

  async giveUp(limit) {
    const { rows } = await sql<{ tenant: string; count: number }>`
      with given_up as (
        update schedule_runs set slack_channel = null where (schedule_id, key) in (
          select r.schedule_id, r.key from schedule_runs r left join tasks t on t.id = r.task_id
          where r.slack_channel is not null and r.started_at < now() - ${givenUpAfter}
            -- a run without a task could not begin, unless its message waits for its turn
            and coalesce(t.ended_at, case when t.id is null then r.started_at end) < now() - ${givenUpAfter}
            and not exists (
              select from conversation_messages m
              where t.id is null and m.conversation_id = r.conversation_id and m.id = r.message_id
                and m.state in ('received', 'queued', 'running', 'steering'))
          order by r.started_at limit ${limit} for update of r skip locked)
        returning schedule_id)
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
});

/** None of its messages can be older, also when the clocks of Slack and Postgres differ. */
const aWhileAgo = sql`trunc(extract(epoch from now()) - 600)::text`;
