import { sql } from 'kysely';

/**
 * The messages `m` to the first task of its tree that a delegated task `t` has still to read: neither it has taken
 * them, nor did a task above it know them when it wrote the request that leads to `t`. They are looked up, and not
 * handed down: one may come after a request was written, and before the task for it is stored.
 */
const isNews = sql`m.state in ('steering', 'steered')
  and not exists (
    select from task_steering own
    where own.task_id = t.id and own.conversation_id = m.conversation_id and own.message_id = m.id)
  and not exists (
    select from delegations d left join task_steering s
      on s.task_id = d.parent_id and s.conversation_id = m.conversation_id and s.message_id = m.id
    where d.child_id = any(t.id || t.ancestors)
      and coalesce(s.taken_step, case when d.parent_id = m.running_task_id then m.taken_step end) <= d.step)`;

export const selectSteeringBelow = (taskId: string) => sql`
  select m.conversation_id, m.id, m.position, m.content_hash
  from tasks t join conversation_messages m on m.running_task_id = t.ancestors[1]
  where t.id = ${taskId}::uuid and t.parent_id is not null and ${isNews}`;

/** Whether the task has messages to read, or an earlier run of it has taken some. */
export const isSteeredBelow = (taskId: string) => sql<boolean>`(
  exists (select from task_steering where task_id = ${taskId}::uuid) or exists (${selectSteeringBelow(taskId)}))`;

/**
 * A message as a delegated task reads it. It has read no other words of the person, and they may be about another part.
 */
export const toSteeringText = (text: string): string =>
  `While you work, a person has added this to the whole request, of which you do a part. It reaches you through the agent that gave you your part. Where it concerns your part, it counts more than what you were asked; leave what does not to others.\n\n${text}`;
