import { sql, type RawBuilder } from 'kysely';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { NewTaskEvent, TaskEvent } from '../../../contract/events.ts';
import type { BudgetLimits, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { TaskEvents } from '../../ports.ts';
import type { EventListener } from './event-listener.ts';

/** Pages of events are this long at the most. */
const pageSize = 500;

/** Events a person may watch, as rows. Whoever follows is woken by NOTIFY and reads rows; nothing is sent beside them. */
export const createTaskEvents = (db: Database, listener: EventListener): TaskEvents => {
  const read = async ({ tenant, subject }: Scope, taskId: string, after: number, limit: number) => {
    const rows = await db
      .selectFrom('task_events as e')
      .innerJoin('tasks as t', 't.id', 'e.task_id')
      .select(['e.seq', 'e.at', 'e.type', 'e.data'])
      .where('t.tenant', '=', tenant)
      .where('t.subject', '=', subject)
      .where('e.task_id', '=', taskId)
      .where('e.seq', '>', after)
      .orderBy('e.seq')
      .limit(limit)
      .execute();
    return rows.map(({ seq, at, type, data }) => ({ seq, at: at.toISOString(), type, data }) as TaskEvent);
  };

  return {
    read,

    async *follow(scope, taskId, after, signal) {
      const wakes = listener.listen(taskId);
      try {
        while (!signal.aborted) {
          wakes.arm();
          const events = await read(scope, taskId, after, pageSize);
          const last = events.at(-1);
          if (!last) {
            await wakes.next(signal);
            continue;
          }
          yield events;
          after = last.seq;
          if (isTerminal(last) && events.length < pageSize) return;
        }
      } finally {
        wakes.close();
      }
    },

    async ended(taskId, signal) {
      const wakes = listener.listen(taskId, 'end');
      try {
        while (!signal.aborted) {
          wakes.arm();
          const row = await db.selectFrom('tasks').select('ended_at').where('id', '=', taskId).executeTakeFirst();
          if (!row || row.ended_at) return;
          await wakes.next(signal);
        }
      } finally {
        wakes.close();
      }
    },

    async append(task, events) {
      await append(db, sql`id = ${task.taskId}`, sql``, events);
    },

    async appendText(task, { step, attempt }, text) {
      const mayStream = sql`id = ${task.taskId} and streaming = ${`${step}.${attempt}`} and status in ('queued', 'running')`;
      return (
        (await append(db, mayStream, sql``, [{ type: 'text.delta', data: { step, attempt, text } }])) !== undefined
      );
    },
  };
};

const isTerminal = ({ type }: TaskEvent) =>
  type === 'task.completed' || type === 'task.failed' || type === 'task.cancelled';

/**
 * Changes a task's row and appends events in one statement; the row's lock keeps sequence numbers without gaps. One
 * statement is one round trip and one transaction.
 *
 * @param where   which row, and the condition under which it changes
 * @param changes further columns to set, beginning with a comma
 * @param before  further common table expressions, ending with a comma; `where` may ask whether they wrote
 * @returns the row's newest sequence number and budget, or undefined when the condition did not hold
 */
export async function append(
  db: Database,
  where: RawBuilder<unknown>,
  changes: RawBuilder<unknown>,
  events: NewTaskEvent[],
  before: RawBuilder<unknown> = sql``,
): Promise<{ last_seq: number; budget: BudgetLimits } | undefined> {
  const types = events.map(({ type }) => type);
  const data = events.map((event) => JSON.stringify(event.data));
  const { rows } = await sql<{ last_seq: number; budget: BudgetLimits }>`
    with ${before} task as (
      update tasks set last_seq = last_seq + ${events.length}, updated_at = now() ${changes} where ${where} returning id, last_seq, budget, ended_at
    ), inserted as (
      insert into task_events (task_id, seq, type, data)
      select task.id, task.last_seq - ${events.length} + e.ordinality, e.type, e.data
      from task, unnest(${types}::text[], ${data}::jsonb[]) with ordinality as e (type, data, ordinality)
    )
    select last_seq, budget, pg_notify(${taskEventsChannel}, id::text || case when ended_at is null then '' else ' end' end) from task`.execute(
    db,
  );
  return rows[0];
}
