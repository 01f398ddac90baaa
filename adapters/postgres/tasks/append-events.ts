import { sql, type RawBuilder } from 'kysely';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { BudgetLimits, TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { storableJson } from '../storable-json.ts';

type Change = {
  events: NewTaskEvent[];
  /** The condition under which the row changes; it is looked at again after a wait for the row's lock. */
  when?: RawBuilder<unknown>;
  /** Further columns to set, beginning with a comma. */
  set?: RawBuilder<unknown>;
  /** Further common table expressions, ending with a comma; `when` may ask whether they wrote. */
  before?: RawBuilder<unknown>;
  /** Common table expressions that may use `task`, the changed row, each beginning with a comma. */
  after?: RawBuilder<unknown>;
  /** Writes the row but no events when the task has ended: its last event stays the last. */
  silentAfterEnd?: boolean;
};

/**
 * Changes a task's row and appends events in one statement, which is one round trip and one transaction; the row's lock
 * keeps sequence numbers without gaps. The events of a conversation's task are numbered in the conversation too: its row is
 * locked after the task's, here and wherever both are.
 *
 * @returns the row's newest sequence number and budget, or undefined when the condition did not hold
 */
export async function appendEvents(
  db: Database,
  { taskId, tenant, subject }: Pick<TaskRef, 'taskId' | 'tenant' | 'subject'>,
  { events, when = sql`true`, set = sql``, before = sql``, after = sql``, silentAfterEnd = false }: Change,
): Promise<{ last_seq: number; budget: BudgetLimits } | undefined> {
  const types = events.map(({ type }) => type);
  const data = events.map((event) => storableJson(event.data));
  const count = silentAfterEnd
    ? sql`case when ended_at is null then ${events.length}::int else 0 end`
    : sql`${events.length}::int`;
  const spoken = silentAfterEnd ? sql`where task.ended_at is null` : sql``;
  const { rows } = await sql<{ last_seq: number; budget: BudgetLimits }>`
    with ${before} task as (
      update tasks set last_seq = last_seq + ${count}, updated_at = now() ${set}
      where id = ${taskId} and tenant = ${tenant} and subject = ${subject} and ${when}
      returning id, last_seq, budget, ended_at, conversation_id
    ), inserted as (
      insert into task_events (task_id, seq, type, data)
      select task.id, task.last_seq - ${events.length}::int + e.ordinality, e.type, e.data
      from task, unnest(${types}::text[], ${data}::jsonb[]) with ordinality as e (type, data, ordinality) ${spoken}
    ), conversation as (
      update conversations c set last_seq = c.last_seq + ${events.length}::int, updated_at = now()
      from task where c.id = task.conversation_id ${silentAfterEnd ? sql`and task.ended_at is null` : sql``}
      returning c.id, c.last_seq, task.id as task_id, task.last_seq as task_seq
    ), mirrored as (
      insert into conversation_events (conversation_id, seq, task_id, task_seq)
      select c.id, c.last_seq - n, c.task_id, c.task_seq - n
      from conversation c, generate_series(0, ${events.length}::int - 1) n
    ) ${after}
    select last_seq, budget, pg_notify(${taskEventsChannel}, id::text || case when ended_at is null then '' else ' end' end),
      (select pg_notify(${taskEventsChannel}, c.id) from conversation c)
    from task`.execute(db);
  return rows[0];
}
