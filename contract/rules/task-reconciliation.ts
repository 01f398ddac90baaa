import { defaultMessageOf, type ErrorCode } from '../errors.ts';
import { isEnded } from '../task-status.ts';
import type { TaskStatus } from '../task.ts';

/** Temporal's status of a workflow's latest run. */
export type WorkflowState =
  | { runId: string; status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out' }
  | { status: 'not_found' };

/** How a task ends without a result. */
export type TaskEnd = { status: 'failed'; code: ErrorCode; message: string } | { status: 'cancelled'; reason: string };

/** How to correct a row. `found` says what was wrong: the label value of the metric `task_rows_corrected_total`. */
export type RowCorrection =
  | { action: 'none' }
  | { action: 'close'; end: TaskEnd; found: string }
  /** Temporal has lost the workflow: start it again. It finds in the rows what was paid and done. */
  | { action: 'restart'; found: 'lost' }
  | { action: 'reopen'; runId: string; found: 'reset' };

/**
 * How long a row may exist without its workflow, in milliseconds. The row is written first and the workflow is started
 * right after. A check in between sees the row and no workflow, which is no fault.
 */
export const startGraceMs = 60_000;

/**
 * Compares a task's row with the state of its workflow.
 *
 * The workflow writes its end to the row before it ends. Therefore:
 * - An ended row with the same run still running is right: the workflow is about to end.
 * - An open row with an ended workflow is wrong, provided that the row was read after Temporal was asked.
 *
 * A queued task without a workflow is lost too, and starting it is safe, because its workflow's id is the task's. But
 * one whose caller got an error never begins: the caller may have asked again.
 *
 * @param row   must be read after `state`. `runId` is the run that wrote last, null before the first write.
 *   `hasFailedToStart`: its caller got an error. `isAbandoned`: no task reads its answer, so a run that was lost before
 *   it began is not begun
 * @param state Temporal's status of the latest run of `taskWorkflowId(id)`. Only the sweep judges by `not_found`: it
 *   first makes sure that it asks the right Temporal, and that not too many are unknown
 * @param now   milliseconds since the epoch
 */
export function reconcileTask(
  row: {
    status: TaskStatus;
    runId: string | null;
    updatedAt: Date;
    isErased: boolean;
    hasFailedToStart?: boolean;
    isAbandoned?: boolean;
  },
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
        end: { status: 'cancelled', reason: 'Cancelled in Temporal.' },
        found: 'cancelled',
      };
    case 'failed':
    case 'completed':
      return failed('internal', state.status, 'The workflow ended without saying how.');
    case 'not_found':
      if (now - row.updatedAt.getTime() < startGraceMs) return { action: 'none' };
      if (row.isAbandoned && row.status === 'queued')
        return { action: 'close', end: { status: 'cancelled', reason: abandonedReason }, found: 'abandoned' };
      if (row.hasFailedToStart) return failed('never_started', 'never_started');
      return row.isErased
        ? failed('workflow_lost', 'lost', 'Temporal lost the workflow, and the content of the task was deleted.')
        : { action: 'restart', found: 'lost' };
  }
}

export const abandonedReason = 'The task that delegated it has ended.';

const failed = (code: ErrorCode, found: string, message = defaultMessageOf(code)): RowCorrection => ({
  action: 'close',
  end: { status: 'failed', code, message },
  found,
});

/** Up to so many tasks that Temporal does not know are taken for lost. */
const fewLost = 20;
/** Above this share of them, it is more likely that the wrong Temporal was asked. */
const lostShare = 0.2;

/**
 * Whether so many open tasks are unknown to Temporal that a person must say whether it is the right Temporal.
 *
 * @param of how many tasks there are: all that were looked at, or, before the end, all that are open. Lost tasks may be
 *   close together in the order of their creation, so a part of them says little
 */
export const isTooManyLost = ({ lost, of }: { lost: number; of: number }) => lost > fewLost && lost > lostShare * of;
