import { sql } from 'kysely';
import { isTerminalEvent, type TaskEvent } from '../../../contract/events.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Run, TaskEvents } from '../../../contract/ports/index.ts';
import { isComing } from '../conversations/coming-task.ts';
import { appendEvents } from './append-events.ts';
import { storableJson } from '../storable-json.ts';
import type { EventListener } from '../event-listener.ts';
import { followRows } from '../follow-rows.ts';
import { waitForEnd } from '../wait-for-end.ts';

/** Task events as rows. NOTIFY wakes followers, which then read the rows: a notification carries no event. */
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

  const hasEnded = async (taskId: string, after: number) => {
    const row = await db
      .selectFrom('tasks')
      .select(['ended_at', 'last_seq'])
      .where('id', '=', taskId)
      .executeTakeFirst();
    return row ? row.ended_at !== null && row.last_seq <= after : !(await isComing(db, taskId));
  };

  return {
    read,

    follow: (scope, taskId, after, signal) =>
      followRows(listener, {
        id: taskId,
        after,
        signal,
        read: (from, limit) => read(scope, taskId, from, limit),
        isLast: isTerminalEvent,
        // No event follows the end of a task, also when the last event is not a terminal one.
        isOver: (lastRead) => hasEnded(taskId, lastRead),
      }),

    waitForEnd: (taskId, signal) =>
      waitForEnd(listener, taskId, signal, async () => {
        const row = await db.selectFrom('tasks').select('ended_at').where('id', '=', taskId).executeTakeFirst();
        return row ? row.ended_at !== null : !(await isComing(db, taskId));
      }),

    async appendOnce(task, { runId }, event) {
      const when = sql`ended_at is null and run_id = ${runId} and not exists (
        select from task_events
        where task_id = ${task.taskId} and type = ${event.type} and data = ${storableJson(event.data)}::jsonb)`;
      await appendEvents(db, task, { when, events: [event] });
    },

    async appendText(task, source, text) {
      const when = sql`streaming = ${streamingToken(source)} and ended_at is null`;
      const { step, attempt } = source;
      const events = [{ type: 'text.delta', data: { step, attempt, text } } as const];
      return (await appendEvents(db, task, { when, events })) !== undefined;
    },
  };
};

/** The value of `tasks.streaming`: it names the one attempt that may stream text. */
export const streamingToken = ({ runId, step, attempt }: Run & { step: number; attempt: number }) =>
  `${runId}.${step}.${attempt}`;
