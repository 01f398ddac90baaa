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
  WorkflowSurvey,
} from '../../contract/ports/index.ts';

export type CompareDeps = {
  tasks: Pick<Tasks, 'countOpen' | 'listOpen' | 'listStates' | 'reconcile'>;
  workflows: Pick<Workflows, 'cancelTask' | 'describe' | 'restartTask'>;
  survey: Pick<WorkflowSurvey, 'cancelTask' | 'describe' | 'runningAmong' | 'runningTasks'>;
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
/** A task that has changed within this time has a worker. */
const freshMs = 5 * 60_000;

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
 * running is described before its row is judged. Tasks that Temporal does not know are only counted until all rows were
 * looked at: when they are too many, none of them is changed.
 *
 * @returns how many rows were corrected; `isHalted`: too many tasks are unknown to Temporal
 * @throws AlfredError `wrong_namespace` before anything is compared
 */
export async function compareTasks(
  deps: CompareDeps,
  { isFull, position: start, save, signal }: Options,
): Promise<{ corrected: number; isHalted: boolean }> {
  const { tasks, metrics } = deps;
  const { movedAt } = await deps.namespace.check().catch((error: unknown) => {
    metrics.sweepHalted.set(1);
    throw error;
  });
  const position = { ...start };
  const open = (await tasks.countOpen()).reduce((sum, { tasks: count }) => sum + count, 0);
  const comparison = { ...deps, isFull, movedAt, open, position, signal };
  // Those that an earlier attempt found count, and the next round starts them.
  const unknown: TaskRowState[] = [];
  while (!position.areOpenDone) {
    const { after } = position;
    const changedWithinMs = isFull ? undefined : recentMs;
    const page = await tasks.listOpen({ olderThanMs: settledMs, changedWithinMs, after, limit: pageSize });
    const mayGoOn = await comparePage(comparison, page.tasks, unknown);
    position.after = page.next;
    position.areOpenDone = page.next === undefined;
    if (!mayGoOn || (position.areOpenDone && isTooManyLost({ lost: position.lost, of: position.compared }))) {
      metrics.sweepHalted.set(1);
      deps.log.error(
        { compared: position.compared, unknown: position.lost },
        'Temporal does not know too many of the open tasks, so the sweep changes none of them: is it the right Temporal? If it has lost them, run: alfred setup --temporal-moved',
      );
      return { corrected: position.corrected, isHalted: true };
    }
    if (position.areOpenDone && unknown.length > 0) {
      await deps.namespace.check();
      await startLost(comparison, unknown);
    }
    save({ ...position });
  }
  metrics.sweepHalted.set(0);
  await compareStarted(comparison, save);
  return { corrected: position.corrected, isHalted: false };
}

type Comparison = CompareDeps &
  Pick<Options, 'isFull' | 'signal'> & { movedAt: Date | undefined; open: number; position: ComparePosition };

/** Each lost task costs a request to Temporal. After so many, those that were looked at say enough. */
const manyLost = 500;

/**
 * Compares one page of open rows. Starts those again that an operator has reported as lost.
 *
 * @param unknown gets the others that Temporal does not know
 * @returns false when they are too many already, as a share of all open tasks
 */
async function comparePage(comparison: Comparison, rows: TaskRowState[], unknown: TaskRowState[]): Promise<boolean> {
  const { survey, signal, position, isFull, open } = comparison;
  const running = await survey.runningAmong(
    rows.map(({ taskId }) => taskWorkflowId(taskId)),
    signal,
  );
  const moved: TaskRowState[] = [];
  for (const row of rows) {
    signal.throwIfAborted();
    position.compared++;
    if (running.has(taskWorkflowId(row.taskId))) {
      if (row.isCancelled && (isFull || isFresh(row))) await repeatCancel(comparison, row);
    } else if (await isUnknown(comparison, row)) (isFromBeforeMove(comparison, row) ? moved : unknown).push(row);
    const { lost, compared } = position;
    if (isTooManyLost({ lost, of: open }) || (lost > manyLost && isTooManyLost({ lost, of: compared }))) return false;
  }
  await startLost(comparison, moved);
  return true;
}

/** Full rounds alone repeat the cancellation of a task that does not change: no worker may serve its agent. */
const isFresh = ({ updatedAt }: TaskRowState) => Date.now() - updatedAt.getTime() < freshMs;

/** Of tasks from before a move many are lost at once, and an operator knows it. */
const isFromBeforeMove = ({ movedAt }: Comparison, { insertedAt }: TaskRowState) =>
  movedAt !== undefined && insertedAt < movedAt;

/** A person can reset the workflow of an ended task, and then it runs again. */
async function compareStarted(comparison: Comparison, save: Options['save']): Promise<void> {
  const { tasks, survey, signal, position, isFull } = comparison;
  const startedAfter = isFull ? undefined : new Date(Date.now() - recentMs);
  for await (const taskIds of survey.runningTasks({ startedAfter }, signal)) {
    for (const row of await tasks.listStates(taskIds)) if (isEnded(row.status)) await isUnknown(comparison, row);
    save({ ...position });
  }
}

/**
 * Judges one row by what Temporal says about its workflow, unless Temporal does not know it. An error with one row does
 * not stop the others.
 */
async function isUnknown(comparison: Comparison, row: TaskRowState): Promise<boolean> {
  const { tasks, workflows, survey, position, signal, log } = comparison;
  const { taskId } = row;
  const isFromBefore = isFromBeforeMove(comparison, row);
  try {
    const id = taskWorkflowId(taskId);
    // Not paced for those from before a move: each costs a start anyway.
    // Temporal is read before the row, because a workflow writes its end to the row before it ends.
    const state = await (isFromBefore ? workflows.describe(id) : survey.describe(id, signal));
    if (state.status === 'not_found') {
      const { action } = reconcileTask(row, state);
      if (action === 'none') return false;
      if (action === 'restart' && !isFromBefore) position.lost++;
      return true;
    }
    const corrected = await tasks.reconcile(taskId, state);
    if (corrected) noteCorrection(comparison, taskId, corrected);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ err: error, taskId }, 'a task row could not be compared with its workflow');
  }
  return false;
}

/** Starts the tasks that Temporal has lost, and ends those of them whose content was deleted. */
async function startLost(comparison: Comparison, lost: TaskRowState[]): Promise<void> {
  const { tasks, workflows, metrics, signal, log } = comparison;
  for (const { taskId } of lost) {
    signal.throwIfAborted();
    try {
      const corrected = await tasks.reconcile(taskId, { status: 'not_found' });
      if (!corrected) continue;
      const { restart } = corrected;
      if (restart) {
        await workflows.restartTask(restart);
        metrics.tasksRestarted.inc({ agent: restart.agent });
        // The new run reads the wish to undo from the row.
        if (restart.isCancelled) await workflows.cancelTask(taskId);
      }
      noteCorrection(comparison, taskId, corrected);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, taskId }, 'a task that Temporal has lost could not be started again');
    }
  }
}

function noteCorrection(
  { position, metrics, log }: Comparison,
  taskId: string,
  { found, restart }: { found: string; restart?: TaskRowState },
) {
  position.corrected++;
  metrics.rowsCorrected.inc({ found });
  if (restart) log.warn({ taskId, agent: restart.agent }, 'Temporal had lost a task; it starts again from its rows');
  else log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
}

/** Cancels a task whose cancellation was stored and may not have reached its workflow. */
const repeatCancel = ({ survey, signal, log }: Comparison, { taskId }: TaskRowState) =>
  survey.cancelTask(taskId, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    log.warn({ err: error, taskId }, 'a task could not be cancelled');
  });
