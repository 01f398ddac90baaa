import { sql } from 'kysely';
import { isTerminalEvent, type TaskEvent } from '../../../contract/events.ts';
import type { Scope, TaskRef } from '../../../contract/references.ts';
import { isEnded } from '../../../contract/task-status.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { TaskEvents, TaskRow, TextSource } from '../../../contract/ports/index.ts';
import { isComing } from '../conversations/coming-task.ts';
import { appendEvents, storeLostText } from './append-events.ts';
import { expandPieces } from './fold-text.ts';
import { unflushedText } from './unflushed-text.ts';
import { storableJson } from '../storable-json.ts';
import type { EventListener } from '../event-listener.ts';
import { followRows } from '../follow-rows.ts';
import { createTextNotifier } from '../text-notifier.ts';
import { waitForEnd } from '../wait-for-end.ts';

/** Task events as rows. NOTIFY wakes followers, which then read the rows: a notification carries no event. */
export const createTaskEvents = (db: Database, listener: EventListener): TaskEvents => {
  const textNotifier = createTextNotifier(db);
  const read = async ({ tenant, subject }: Scope, taskId: string, after: number, limit: number) => {
    const rows = await db
      .selectFrom('task_events as e')
      .innerJoin('tasks as t', 't.id', 'e.task_id')
      .select(['e.seq', 'e.at', 'e.type', 'e.data', 'e.piece_ends'])
      .where('t.tenant', '=', tenant)
      .where('t.subject', '=', subject)
      .where('t.erased_at', 'is', null)
      .where('e.task_id', '=', taskId)
      .where('e.seq', '>', after)
      .orderBy('e.seq')
      .limit(limit)
      .execute();
    return rows
      .flatMap(({ piece_ends: ends, ...row }) => expandPieces(row, ends, after))
      .slice(0, limit)
      .map(({ seq, at, type, data }) => ({ seq, at: at.toISOString(), type, data }) as TaskEvent);
  };

  const readEnd = (taskId: string) =>
    db.selectFrom('tasks').select(['ended_at', 'erased_at', 'last_seq']).where('id', '=', taskId).executeTakeFirst();

  /** @param isOver says of a task's row whether nothing is to come; of a task without a row, its message says it */
  const hasEnded = async (taskId: string, isOver: (row: TaskEndRow) => boolean) => {
    let row = await readEnd(taskId);
    if (!row && (await isComing(db, taskId))) return false;
    // Its turn may have begun between the two.
    row ??= await readEnd(taskId);
    return !row || isOver(row);
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
        isOver: (lastRead) =>
          hasEnded(taskId, (row) => row.erased_at !== null || (row.ended_at !== null && row.last_seq <= lastRead)),
      }),

    waitForEnd: (taskId, signal) =>
      waitForEnd(listener, taskId, signal, () => hasEnded(taskId, (row) => row.ended_at !== null)),

    async readUntilEnd<Row extends Pick<TaskRow, 'status'>>(
      taskId: string,
      signal: AbortSignal,
      read: () => Promise<Row | undefined>,
    ) {
      let last: Row | undefined;
      await waitForEnd(listener, taskId, signal, async () => {
        const row = await read();
        last = row ?? last;
        return row !== undefined && isEnded(row.status);
      });
      return last;
    },

    async appendOnce(task, { runId }, event) {
      const when = sql`ended_at is null and run_id = ${runId} and not exists (
        select from task_events
        where task_id = ${task.taskId} and type = ${event.type} and data = ${storableJson(event.data)}::jsonb)`;
      await appendEvents(db, task, { when, events: [event] });
    },

    async appendText(task, source, text) {
      const { callId, step, attempt } = source;
      const when = sql`streaming = ${callId} and ended_at is null`;
      const event = { type: 'text.delta' as const, data: { step, attempt, text } };
      const appended = await appendEvents(db, task, { when, events: [event], isText: true });
      if (!appended) return false;
      unflushedText.add(task.taskId, appended.last_seq, event);
      textNotifier.notify([task.taskId, ...(appended.conversation_id === null ? [] : [appended.conversation_id])]);
      return true;
    },

    completeText: (task, source, text) => db.transaction().execute((trx) => completeText(trx, task, source, text)),
  };
};

type TaskEndRow = { ended_at: Date | null; erased_at: Date | null; last_seq: number };

async function completeText(trx: Database, task: TaskRef, source: TextSource, text: string): Promise<boolean> {
  const { callId, step, attempt } = source;
  // Waits for a piece that an earlier statement of this attempt still writes.
  const row = await trx
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', task.taskId)
    .where('streaming', '=', callId)
    .where('ended_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!row) return false;
  // First, so that what a crash of Postgres took back does not count as missing too.
  await storeLostText(trx, task);
  const isOfAttempt = sql`task_id = ${task.taskId} and data @> ${JSON.stringify({ step, attempt })}::jsonb`;
  const { rows } = await sql<{ text: string | null }>`
    select string_agg(data ->> 'text', '' order by seq) as text from task_events
    where ${isOfAttempt} and type = 'text.delta'
      and seq > (select coalesce(max(seq), 0) from task_events where ${isOfAttempt} and type = 'model.started')`.execute(
    trx,
  );
  // Stored text has no U+0000, and other characters that Postgres refuses are replaced one by one: lengths compare.
  const missing = text.replaceAll('\u0000', '').slice(rows[0]?.text?.length ?? 0);
  if (missing === '') return true;
  const events = [{ type: 'text.delta', data: { step, attempt, text: missing } } as const];
  return (await appendEvents(trx, task, { events })) !== undefined;
}
