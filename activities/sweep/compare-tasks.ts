import { taskWorkflowId } from '../../contract/ids.ts';
import { isTooManyLost, reconcileTask } from '../../contract/rules/task-reconciliation.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type {
  OpenTaskCursor,
  TaskRowState,
  Tasks,
  TemporalNamespace,
  Workflows,
  WorkflowState,
  WorkflowSurvey,
} from '../../contract/ports/index.ts';

export type CompareDeps = {
  tasks: Pick<Tasks, 'listOpen' | 'listStates' | 'reconcile'>;
  workflows: Pick<Workflows, 'cancelTask' | 'describe' | 'restartTask'>;
  survey: Pick<WorkflowSurvey, 'describe' | 'runningAmong' | 'runningTasks'>;
  namespace: TemporalNamespace;
  metrics: Pick<Metrics, 'rowsCorrected' | 'tasksRestarted' | 'sweepHalted'>;
  log: Logger;
};

/** Where a comparison stands; a retry continues from here. */
export type ComparePosition = {
  after: OpenTaskCursor | undefined;
  /** All open rows were compared; the ended rows follow. */
  areOpenDone: boolean;
  corrected: number;
  compared: number;
  lost: number;
};
export const compareStart: ComparePosition = {
  after: undefined,
  areOpenDone: false,
  corrected: 0,
  compared: 0,
  lost: 0,
};

/** Rows a page. Their workflows are asked for with one request to Temporal. */
const pageSize = 500;
/** A row that changed more recently than this is skipped: its workflow may still be writing it. In milliseconds. */
const settledMs = 5_000;
/** A quick comparison looks at rows that have changed, and at workflows that were started, within this time. */
const recentMs = 60 * 60_000;

type Options = {
  /** Also compares the tasks that have waited for long, whose rows change seldom. */
  isFull: boolean;
  position: ComparePosition;
  save: (position: ComparePosition) => void;
  signal: AbortSignal;
};

/**
 * Compares open rows with their workflows, and running workflows with their rows, so that changes made in Temporal's UI
 * or CLI show in the rows, and tasks that Temporal has lost start again.
 *
 * Temporal's list is asked for many workflows at once. It lags behind, so that each workflow which it does not show as
 * running is described before its row is judged.
 *
 * @returns how many rows were corrected; `isHalted`: so many tasks are unknown to Temporal that no more are judged
 * @throws AlfredError `wrong_namespace` before anything is compared
 */
export async function compareTasks(
  deps: CompareDeps,
  { isFull, position: start, save, signal }: Options,
): Promise<{ corrected: number; isHalted: boolean }> {
  const { tasks, survey, metrics, log } = deps;
  const { movedAt } = await deps.namespace.check().catch((error: unknown) => {
    metrics.sweepHalted.set(1);
    throw error;
  });
  const position = { ...start };
  const judge = judgeWith(deps, { movedAt, position, signal });
  while (!position.areOpenDone) {
    const { after } = position;
    const changedWithinMs = isFull ? undefined : recentMs;
    const page = await tasks.listOpen({ olderThanMs: settledMs, changedWithinMs, after, limit: pageSize });
    const running = await survey.runningAmong(
      page.tasks.map(({ taskId }) => taskWorkflowId(taskId)),
      signal,
    );
    for (const row of page.tasks) {
      signal.throwIfAborted();
      const isRunning = running.has(taskWorkflowId(row.taskId));
      position.compared++;
      if (!isRunning) await judge(row);
      else if (row.isCancelled) await repeatCancel(deps, row);
      if (isTooManyLost(position)) {
        metrics.sweepHalted.set(1);
        log.error(
          { compared: position.compared, unknown: position.lost },
          'Temporal does not know too many of the open tasks, so the sweep changes no more of them: is it the right Temporal? If it has lost them, run: npx alfred setup --temporal-moved',
        );
        return { corrected: position.corrected, isHalted: true };
      }
    }
    position.after = page.next;
    position.areOpenDone = page.next === undefined;
    save({ ...position });
  }
  metrics.sweepHalted.set(0);
  // A person can reset the workflow of an ended task, and then it runs again.
  const startedAfter = isFull ? undefined : new Date(Date.now() - recentMs);
  for await (const taskIds of survey.runningTasks({ startedAfter }, signal)) {
    for (const row of await tasks.listStates(taskIds)) if (isEnded(row.status)) await judge(row);
    save({ ...position });
  }
  return { corrected: position.corrected, isHalted: false };
}

/** Judges one row by what Temporal says about its workflow. An error with one row does not stop the others. */
function judgeWith(
  deps: CompareDeps,
  { movedAt, position, signal }: { movedAt: Date | undefined; position: ComparePosition; signal: AbortSignal },
) {
  const { tasks, workflows, survey, metrics, log } = deps;
  return async (listed: TaskRowState): Promise<void> => {
    const { taskId } = listed;
    try {
      // Of tasks from before a move many are lost at once, and each costs a start anyway.
      const isFromBefore = movedAt !== undefined && listed.createdAt < movedAt;
      const id = taskWorkflowId(taskId);
      // Temporal is read before the row, because a workflow writes its end to the row before it ends.
      const state = await (isFromBefore ? workflows.describe(id) : survey.describe(id, signal));
      if (!isFromBefore && isUnknown(listed, state)) position.lost++;
      const corrected = await tasks.reconcile(taskId, state, { movedAt });
      if (!corrected) return;
      const { found, restart } = corrected;
      // Counted as unknown before it is started: with too many of them, none is started.
      if (restart && isTooManyLost(position)) return;
      if (restart) {
        await workflows.restartTask(restart);
        metrics.tasksRestarted.inc({ agent: restart.agent });
        // The new run reads the wish to undo from the row.
        if (restart.isCancelled) await workflows.cancelTask(taskId);
        log.warn({ taskId, agent: restart.agent }, 'Temporal had lost a task; it starts again from its rows');
      } else log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
      position.corrected++;
      metrics.rowsCorrected.inc({ found });
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, taskId }, 'a task row could not be compared with its workflow');
    }
  };
}

const isUnknown = (row: TaskRowState, state: WorkflowState) =>
  state.status === 'not_found' && reconcileTask(row, state).action === 'restart';

/** Cancels a task whose cancellation was stored and may not have reached its workflow. */
const repeatCancel = ({ workflows, log }: CompareDeps, { taskId }: TaskRowState) =>
  workflows
    .cancelTask(taskId)
    .catch((error: unknown) => log.warn({ err: error, taskId }, 'a task could not be cancelled'));
