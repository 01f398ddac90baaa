import { sql } from 'kysely';
import type { SlackFeedback } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** What people think of answers, one row for each task and person. */
export const createSlackFeedback = (db: Database): SlackFeedback => ({
  async give({ taskId, tenant, team, userId, subject, value, comment, at }) {
    // The lock: an erasure of the task is over, or deletes this row too.
    const { rows } = await sql<{ comment: string | null; isNew: boolean; isLate: boolean }>`
      with task as (
        select id from tasks where id = ${taskId}::uuid and tenant = ${tenant} and erased_at is null for key share
      ), before as (
        select value, comment from slack_feedback where task_id = ${taskId}::uuid and team = ${team} and user_id = ${userId}
      ), given as (
        insert into slack_feedback as f (task_id, team, user_id, tenant, subject, value, comment, given_at)
        select id, ${team}::text, ${userId}::text, ${tenant}::text, ${subject}::text, ${value}::text,
          nullif(${comment ?? null}::text, ''), ${at}::timestamptz
        from task
        on conflict (task_id, team, user_id) do update set subject = excluded.subject, value = excluded.value,
          comment = case when ${comment === undefined}::boolean and f.value = excluded.value
            then f.comment else excluded.comment end,
          given_at = excluded.given_at
        where f.given_at <= excluded.given_at
        returning comment
      ), stored as (
        select count(*) > 0 as is_new, max(comment) as comment from given
      )
      select case when is_new then stored.comment else before.comment end as comment, not is_new as "isLate",
        is_new and before.value is distinct from ${value}::text as "isNew"
      from task cross join stored left join before on true`.execute(db);
    return rows[0];
  },
});
