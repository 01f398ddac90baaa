import type { ErrorCode } from '../errors.ts';
import { startGraceMs, type WorkflowState } from './task-reconciliation.ts';

type Status = WorkflowState['status'];

/**
 * Decides the final status of an upload whose row is open although its workflow is not running. The workflow may have
 * died, or the process may have stopped between writing the row and starting the workflow.
 *
 * @param status    Temporal's status of `ingestionWorkflowId(id)`. A workflow updates the row before it ends
 * @param createdAt when the row was written
 * @returns undefined when the row is right, or the workflow may still start
 */
export function reconcileIngestion(status: Status, createdAt: Date): 'failed' | 'cancelled' | undefined {
  if (status === 'running') return undefined;
  if (status === 'not_found' && Date.now() - createdAt.getTime() < startGraceMs) return undefined;
  return status === 'cancelled' ? 'cancelled' : 'failed';
}

/**
 * Decides how a sync ends whose row has been open for longer than `startGraceMs`.
 *
 * @param status Temporal's status of `sourceWorkflowId(id)`
 * @returns undefined when the sync is running
 */
export function reconcileSync(status: Status): { status: 'failed'; code: ErrorCode; message: string } | undefined {
  if (status === 'running') return undefined;
  const code = status === 'terminated' || status === 'timed_out' ? status : 'workflow_lost';
  return {
    status: 'failed',
    code,
    message: 'The workflow of its sync ended without a result. Ask for another sync.',
  };
}
