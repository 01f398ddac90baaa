import type { TaskRow } from '../activities/ports.ts';
import { taskWorkflowId } from '../contract/ids.ts';
import type { Scope } from '../contract/references.ts';
import { isEnded } from '../contract/task-status.ts';
import { truthOf, type WorkflowState } from '../contract/task-truth.ts';
import type { ApiDeps } from './deps.ts';
import { inTime } from './in-time.ts';

/** A reader waits no longer than this for Temporal's word; without it the row is shown as it stands. */
const describeDeadlineMs = 500;

type Deps = Pick<ApiDeps, 'tasks' | 'workflows' | 'client' | 'metrics' | 'log'>;

/**
 * Reads a task and, when its workflow was terminated, lost or reset behind our back, makes the row true first.
 *
 * @returns undefined when there is no such task in this scope
 */
export const createTaskReader =
  ({ tasks, workflows, client, metrics, log }: Deps) =>
  async (scope: Scope, taskId: string): Promise<TaskRow | undefined> => {
    const [state, row] = await Promise.all([ask(taskId), tasks.get(scope, taskId)]);
    if (!row || !state || agrees(row, state)) return row;
    return (await correct(taskId, state)) ? tasks.get(scope, taskId) : row;

    async function ask(id: string): Promise<WorkflowState | undefined> {
      try {
        return await inTime(client, describeDeadlineMs, () => workflows.describe(taskWorkflowId(id)));
      } catch {
        return undefined;
      }
    }

    /** The row is read once more: it must be younger than what Temporal said. */
    async function correct(id: string, said: WorkflowState): Promise<boolean> {
      const [current] = await tasks.states([id]);
      if (!current) return false;
      const correction = truthOf(current, said);
      if (correction.action === 'none') return true;
      if (correction.action === 'reopen') await tasks.reopen(current, { runId: correction.runId });
      else await tasks.close(current, undefined, correction.closure);
      metrics.rowsCorrected.inc({ found: correction.found });
      log.warn({ taskId: id, found: correction.found }, 'a task row was brought in line with its workflow');
      return true;
    }
  };
export type ReadTask = ReturnType<typeof createTaskReader>;

/** The usual case: both run, or both are over. Anything else deserves a closer look. */
const agrees = (row: TaskRow, state: WorkflowState) => isEnded(row.status) === (state.status !== 'running');
