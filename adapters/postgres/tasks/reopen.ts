import { sql } from 'kysely';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Run } from '../../../contract/ports/index.ts';
import type { Columns } from '../with-queries.ts';
import { appendEvents } from './append-events.ts';

/**
 * Columns of a task that goes on after it had ended. It keeps `result_hash`, which is shown at the end only: the stored
 * result would have no owner without it, and a workflow that was reset after it was stored ends with it.
 */
export const reopenedColumns = (status: 'queued' | 'running'): Columns<'tasks'> => ({
  status,
  ended_at: null,
  incomplete: null,
  waiting: null,
  error_code: null,
  error_message: null,
});

/**
 * Hands a row, ended or not, over to another run of its workflow: a person has reset the workflow, or Temporal had lost
 * it and it was started again. A row that had not ended keeps its cancel request.
 *
 * @param lastSeq the row's sequence number as the caller read it; when it has changed since, nothing is written
 * @returns whether the row belonged to another run until now
 */
export async function reopen(db: Database, task: TaskRef, { runId }: Run, lastSeq?: number): Promise<boolean> {
  const isUnchanged = lastSeq === undefined ? sql`true` : sql`last_seq = ${lastSeq}`;
  const reopened = await appendEvents(db, task, {
    when: sql`run_id <> ${runId} and ${isUnchanged}`,
    set: {
      ...reopenedColumns('running'),
      run_id: runId,
      cancel_request: sql`case when ended_at is null then cancel_request end`,
    },
    events: [{ type: 'task.resumed', data: { reason: 'The workflow was reset in Temporal, or started again.' } }],
    after: {
      // The run may have asked before its reset, and then asks no more: it waits for the same approvals. What has
      // expired meanwhile it lets expire, or asks again under a new id.
      asked: sql`
        update approvals a set status = 'pending' from task
        where a.task_id = task.id and a.status = 'withdrawn' and a.expires_at > now()`,
    },
  });
  return reopened !== undefined;
}

/** Hands the row over to this run if the row belongs to another one or has ended. */
export async function adoptRun(db: Database, task: TaskRef, run: Run): Promise<void> {
  if (!(await isOpenFor(db, task.taskId, run.runId))) await reopen(db, task, run);
}

/** Whether the task has not ended and its row belongs to this run. */
export const isOpenFor = async (db: Database, taskId: string, runId: string) =>
  (await db
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', taskId)
    .where('run_id', '=', runId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()) !== undefined;
