import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { ContentHash, TaskRef } from '../../../contract/references.ts';
import type { TaskResult } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CancelNote, EndedTask, Run, TaskEnd, TaskRow } from '../../../contract/ports/index.ts';
import type { Columns } from '../with-queries.ts';
import { appendEvents } from './append-events.ts';
import { replaceResult, stillNames } from './replace-result.ts';
import { completeAtOnce } from './complete-at-once.ts';
import { effectsOfEnd } from './effects-of-end.ts';
import { readTask, statusOf, toTaskRow } from './task-row.ts';

type EndOptions = {
  /** Absent when the workflow is gone: then a row that has ended stays as it is. */
  run?: Run | undefined;
  /** Also ends a row of another run: the workflow was reset after its last step. */
  takesOver?: boolean;
  /** The row's sequence number as the caller read it; when it has changed since, nothing is written. */
  lastSeq?: number | undefined;
  status: 'completed' | 'failed' | 'cancelled';
  resultHash?: ContentHash | undefined;
  columns: Columns<'tasks'>;
  eventOf: (row: TaskRow, cancelNote: CancelNote | null) => NewTaskEvent;
};

const noResult: TaskResult = { text: '', citations: [] };
const noError = { error_code: null, error_message: null };

/**
 * Ends a task with a stored result, which says whether it is an answer or what there was at the end of a budget.
 *
 * @returns the ended row, or undefined when this run had ended it before
 */
export const completeTask = async (db: Database, task: TaskRef, run: Run, resultHash: ContentHash) =>
  (await completeAtOnce(db, task, run, resultHash)) ??
  endTask(db, task, {
    run,
    takesOver: true,
    status: 'completed',
    resultHash,
    columns: { ...noError, result_hash: resultHash },
    eventOf: ({ result, usage }) => ({
      type: result?.incomplete === undefined ? 'task.completed' : 'task.incomplete',
      data: { result: result ?? noResult, usage },
    }),
  });

/** Ends a task without a result. @returns the ended row, or undefined when nothing was written */
export function closeTask(
  db: Database,
  task: TaskRef,
  end: TaskEnd,
  guard: Pick<EndOptions, 'run' | 'lastSeq'> = {},
): Promise<EndedTask | undefined> {
  if (end.status === 'cancelled')
    return endTask(db, task, {
      ...guard,
      status: 'cancelled',
      columns: noError,
      eventOf: ({ usage, effects }, note) => ({
        type: 'task.cancelled',
        data: { reason: note?.reason ?? end.reason, usage, ...(effects.length > 0 ? { effects } : {}) },
      }),
    });
  const { code, message } = end;
  return endTask(db, task, {
    ...guard,
    status: 'failed',
    columns: { error_code: code, error_message: message },
    eventOf: ({ usage }) => ({ type: 'task.failed', data: { error: { code, message }, usage } }),
  });
}

/**
 * Ends a row once for each run: the first end counts. The row is read first
 * and written only if it has not changed since; otherwise both are repeated.
 */
async function endTask(
  db: Database,
  task: TaskRef,
  { run, takesOver = false, lastSeq, status, resultHash, columns, eventOf }: EndOptions,
): Promise<EndedTask | undefined> {
  while (true) {
    const row = await readTask(db, sql`t.id = ${task.taskId}`, sql`${resultHash ?? null}::text`);
    if (!row) throw new Error(`there is no task ${task.taskId} to end`);
    const isAnotherRun = run !== undefined && row.run_id !== null && row.run_id !== run.runId;
    if (isAnotherRun ? !takesOver : row.ended_at !== null) return undefined;
    if (lastSeq !== undefined && row.last_seq !== lastSeq) return undefined;
    if (resultHash && row.result === null)
      throw new AlfredError(
        'internal',
        'The result is not stored any more, because a later run has stored another one. Reset the workflow to an earlier event.',
      );
    const before = toTaskRow(row);
    const event = eventOf(before, row.cancel_request as CancelNote | null);
    const error = event.type === 'task.failed' ? event.data.error : null;
    const incomplete = event.type === 'task.incomplete' ? (event.data.result.incomplete ?? null) : null;
    const write = (trx: Database) =>
      appendEvents(trx, task, {
        when: sql`last_seq = ${row.last_seq} and ${stillNames(row.result_hash)}`,
        set: {
          ...columns,
          status,
          incomplete,
          ended_at: sql`now()`,
          streaming: null,
          waiting: null,
          run_id: run?.runId ?? row.run_id,
        },
        events: [event],
        after: effectsOfEnd(task.taskId),
        returning: sql`exists (select from callback)`,
      });
    const results = resultHash && { before: row.result_hash, after: resultHash };
    const written = results ? await replaceResult(db, task, results, write) : await write(db);
    if (written)
      return {
        agent: before.agent,
        createdAt: before.createdAt,
        parentId: before.parentId,
        status: statusOf({ status, incomplete }),
        error,
        hasCallback: written.returned === true,
        endedAt: new Date().toISOString(),
      };
  }
}
