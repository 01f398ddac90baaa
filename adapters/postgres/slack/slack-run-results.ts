import { sql } from 'kysely';
import type { SlackRunResults } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

const mostAtOnce = 100;

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

  async slackUsersOf({ tenant, subject, team }) {
    const { rows } = await sql<{ userId: string }>`
      select user_id as "userId" from slack_links
      where tenant = ${tenant} and subject = ${subject} and team = ${team}`.execute(db);
    return rows.map(({ userId }) => userId);
  },
});

/** None of its messages can be older, also when the clocks of Slack and Postgres differ. */
const aWhileAgo = sql`trunc(extract(epoch from now()) - 600)::text`;
