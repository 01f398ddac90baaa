import type { ErrorCode } from '../errors.ts';
import { startGraceMs, type WorkflowState } from './task-reconciliation.ts';

type Status = WorkflowState['status'];

/**
 * How an upload ends whose row says that it runs although its workflow is over, or was never started because its process
 * died in between.
 *
 * @param status what Temporal says about `ingestionWorkflowId(id)`; a workflow writes its end to the row before it ends
 * @returns undefined when the row is right, or may become so
 */
export function reconcileIngestion(status: Status, createdAt: Date): 'failed' | 'cancelled' | undefined {
  if (status === 'running') return undefined;
  if (status === 'not_found' && Date.now() - createdAt.getTime() < startGraceMs) return undefined;
  return status === 'cancelled' ? 'cancelled' : 'failed';
}

/** How a sync ends whose row says that it is under way, for longer than `startGraceMs`. @param status as above */
export function reconcileSync(status: Status): { status: 'failed'; code: ErrorCode; message: string } | undefined {
  if (status === 'running') return undefined;
  const code = status === 'terminated' || status === 'timed_out' ? status : 'workflow_lost';
  return {
    status: 'failed',
    code,
    message: 'The workflow of its sync is over and has not said so. Ask for another sync.',
  };
}
