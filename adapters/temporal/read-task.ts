import type { TaskRow } from '../../contract/ports/index.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { Scope } from '../../contract/references.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { WorkflowState } from '../../contract/rules/task-reconciliation.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { inTime } from '../../runtime/in-time.ts';

/** A reader waits no longer than this for Temporal's word; without it the row is shown as it stands. */
const describeDeadlineMs = 500;

/** A row that changes with every look is left to the next reader. */
const maxLooks = 3;

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
    let now: TaskRow | undefined = row;
    for (let looks = 0; now && !agrees(now, state) && looks < maxLooks; looks++) {
      // Looks at the row once more: it must be younger than what Temporal said. An attempt that does not know of the
      // end yet may still write to it in between.
      const found = await tasks.correct(taskId, state);
      if (found !== undefined) {
        metrics.rowsCorrected.inc({ found });
        log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
      }
      now = await tasks.get(scope, taskId);
    }
    return now;

    async function ask(id: string): Promise<WorkflowState | undefined> {
      try {
        return await inTime(client, describeDeadlineMs, () => workflows.describe(taskWorkflowId(id)));
      } catch {
        return undefined;
      }
    }
  };
export type ReadTask = ReturnType<typeof createTaskReader>;

/** The usual case: both run, or both are over. Anything else deserves a closer look. */
const agrees = (row: TaskRow, state: WorkflowState) => isEnded(row.status) === (state.status !== 'running');
