import { sql, type RawBuilder } from 'kysely';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { BudgetLimits, TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { storableJson } from '../storable-json.ts';
import { assignments, withQueries, type Columns, type Queries } from '../with-queries.ts';

type TaskChange = {
  events: NewTaskEvent[];
  /** The condition for the change. Postgres checks it again after it has waited for the row's lock. */
  when?: RawBuilder<unknown>;
  /** Columns of the task to set, beside `last_seq` and `updated_at`. */
  set?: Columns<'tasks'>;
  /** Queries before the change; `when` may ask whether they wrote a row. */
  before?: Queries;
  /** Queries after the change; they may use `task`, the changed row, which is empty when the condition did not hold. */
  after?: Queries;
  /**
   * Appends no events to a task that has ended, so that its
   * last event stays the last. The row is changed all the same.
   */
  silentAfterEnd?: boolean;
};

/**
 * Changes a task's row and appends events in one statement: one round trip,
 * one transaction. The row's lock keeps the sequence numbers without gaps.
 *
 * Events of a conversation's task are numbered in the conversation too. Every
 * transaction that locks both rows locks the task first, then the conversation.
 *
 * @returns the row's newest sequence number and budget, or undefined when the condition did not hold
 */
export async function appendEvents(
  db: Database,
  { taskId, tenant, subject }: Pick<TaskRef, 'taskId' | 'tenant' | 'subject'>,
  { events, when = sql`true`, set = {}, before = {}, after = {}, silentAfterEnd = false }: TaskChange,
): Promise<{ last_seq: number; budget: BudgetLimits } | undefined> {
  const types = events.map(({ type }) => type);
  const data = events.map((event) => storableJson(event.data));
  const number = sql`${events.length}::int`;
  const mayAppend = silentAfterEnd ? sql`task.ended_at is null` : sql`true`;
  const columns = {
    last_seq: silentAfterEnd
      ? sql`last_seq + case when ended_at is null then ${number} else 0 end`
      : sql`last_seq + ${number}`,
    updated_at: sql`now()`,
    ...set,
  };
  const queries = {
    ...before,
    task: sql`
      update tasks set ${assignments(columns)}
      where id = ${taskId} and tenant = ${tenant} and subject = ${subject} and ${when}
      returning id, last_seq, budget, ended_at, conversation_id`,
    inserted: sql`
      insert into task_events (task_id, seq, type, data)
      select task.id, task.last_seq - ${number} + e.ordinality, e.type, e.data
      from task, unnest(${types}::text[], ${data}::jsonb[]) with ordinality as e (type, data, ordinality)
      where ${mayAppend}`,
    conversation: sql`
      update conversations c set last_seq = c.last_seq + ${number}, updated_at = now()
      from task where c.id = task.conversation_id and ${mayAppend}
      returning c.id, c.last_seq, task.id as task_id, task.last_seq as task_seq`,
    mirrored: sql`
      insert into conversation_events (conversation_id, seq, task_id, task_seq)
      select c.id, c.last_seq - n, c.task_id, c.task_seq - n
      from conversation c, generate_series(0, ${number} - 1) n`,
    ...after,
  };
  const { rows } = await sql<{ last_seq: number; budget: BudgetLimits }>`
    ${withQueries(queries)}
    select last_seq, budget, pg_notify(${taskEventsChannel}, id::text || case when ended_at is null then '' else ' end' end),
      (select pg_notify(${taskEventsChannel}, c.id) from conversation c)
    from task`.execute(db);
  return rows[0];
}
