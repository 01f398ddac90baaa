import { sentenceOf, type ErrorCode } from '../errors.ts';
import { isEnded } from '../task-status.ts';
import type { TaskStatus } from '../task.ts';

/** What Temporal says about a workflow, for rows that must not lie. */
export type WorkflowState =
  | { runId: string; status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out' }
  | { status: 'not_found' };

/** How a row ends when the workflow did not end it itself. */
export type TaskClosure =
  { status: 'failed'; code: ErrorCode; message: string } | { status: 'cancelled'; reason: string };

/** What makes a row true again. `found` is the word the metric `task_rows_corrected_total` uses. */
export type RowCorrection =
  | { action: 'none' }
  | { action: 'close'; closure: TaskClosure; found: string }
  | { action: 'reopen'; runId: string; found: 'reset' };

/**
 * How long a row may stand without its workflow: the row comes first and the workflow right after, and whoever asks
 * Temporal in between may read the row only once the workflow has begun to write to it.
 */
export const startGraceMs = 60_000;

/**
 * Compares a task's row with what Temporal says about its workflow.
 *
 * The workflow writes its end to the row before it ends itself, so an ended row beside a workflow that still runs the
 * same run is about to be right, and an open row beside an ended workflow is wrong, provided that the row was read
 * after Temporal was asked.
 *
 * @param row   read after `state`; `runId` is the run that last wrote to it, null before the first write
 * @param state what Temporal says about `taskWorkflowId(id)`, its latest run
 */
export function reconcileTask(
  row: { status: TaskStatus; runId: string | null; updatedAt: Date },
  state: WorkflowState,
  now = Date.now(),
): RowCorrection {
  if (isEnded(row.status)) {
    const isReset = state.status === 'running' && row.runId !== null && state.runId !== row.runId;
    return isReset ? { action: 'reopen', runId: state.runId, found: 'reset' } : { action: 'none' };
  }
  switch (state.status) {
    case 'running':
      return { action: 'none' };
    case 'terminated':
    case 'timed_out':
      return failed(state.status, state.status);
    case 'cancelled':
      return {
        action: 'close',
        closure: { status: 'cancelled', reason: 'Cancelled in Temporal.' },
        found: 'cancelled',
      };
    case 'failed':
    case 'completed':
      return failed('internal', state.status, 'The workflow ended without saying how.');
    case 'not_found':
      if (now - row.updatedAt.getTime() < startGraceMs) return { action: 'none' };
      return row.runId === null && row.status === 'queued'
        ? failed('never_started', 'never_started')
        : failed('workflow_lost', 'lost');
  }
}

const failed = (code: ErrorCode, found: string, message = sentenceOf(code)): RowCorrection => ({
  action: 'close',
  closure: { status: 'failed', code, message },
  found,
});
