import { taskWorkflowId } from '../contract/ids.ts';
import type { Tasks, Workflows } from '../contract/ports/index.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';

export type HasEndedDeps = {
  tasks: Pick<Tasks, 'listStates' | 'reconcile'>;
  workflows: Pick<Workflows, 'describe'>;
  metrics: Pick<Metrics, 'rowsCorrected'>;
  log: Logger;
};

/**
 * Whether a task has ended. A workflow writes its end to its row before it ends. If it could not, the row is reconciled
 * here.
 */
export async function hasTaskEnded({ tasks, workflows, metrics, log }: HasEndedDeps, taskId: string): Promise<boolean> {
  const isEndedInRow = async () => (await tasks.listStates([taskId])).every(({ status }) => isEnded(status));
  if (await isEndedInRow()) return true;
  const state = await workflows.describe(taskWorkflowId(taskId));
  // The sweep judges a workflow that Temporal does not know, and starts a lost one again: its task has not ended.
  if (state.status === 'not_found') return false;
  const corrected = await tasks.reconcile(taskId, state);
  if (corrected) {
    const { found } = corrected;
    metrics.rowsCorrected.inc({ found });
    log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
  }
  return isEndedInRow();
}
