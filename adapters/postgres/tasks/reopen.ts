import { sql } from 'kysely';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Run } from '../../../contract/ports/index.ts';
import { appendEvents } from './append-events.ts';

/** Columns of a row that goes on after it had ended. */
export const revived = (status: 'queued' | 'running') =>
  sql`, status = ${status}, ended_at = null, result_hash = null, waiting = null, error_code = null, error_message = null`;

/**
 * A row that spoke for another run, ended or not, now speaks for this one: somebody reset the workflow.
 *
 * @param lastSeq only when the row has not changed since it was read
 * @returns whether it was so
 */
export async function reopen(db: Database, task: TaskRef, { runId }: Run, lastSeq?: number): Promise<boolean> {
  const unchanged = lastSeq === undefined ? sql`` : sql`and last_seq = ${lastSeq}`;
  const reopened = await appendEvents(db, task, {
    when: sql`run_id <> ${runId} ${unchanged}`,
    set: sql`${revived('running')}, run_id = ${runId}, cancel_request = null`,
    events: [{ type: 'task.resumed', data: { reason: 'Somebody reset the workflow in Temporal.' } }],
  });
  return reopened !== undefined;
}

/** Lets the row speak for this run, if somebody has reset the workflow to it. */
export async function speakFor(db: Database, task: TaskRef, run: Run): Promise<void> {
  if (!(await isOpenFor(db, task.taskId, run.runId))) await reopen(db, task, run);
}

/** Whether a task goes on, and for this run. */
export const isOpenFor = async (db: Database, taskId: string, runId: string) =>
  (await db
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', taskId)
    .where('run_id', '=', runId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()) !== undefined;
