import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { AlfredError } from '../../contract/errors.ts';
import { taskWorkflowId, updateName } from '../../contract/ids.ts';
import type {
  Callbacks,
  Effects,
  TaskControl,
  TaskRow,
  Tasks,
  Workflows,
  WorkflowState,
} from '../../contract/ports/index.ts';
import type { BudgetLimits, Reach, Scope } from '../../contract/references.ts';
import { taskStartOptions } from '../../contract/task-start.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { priorityOf } from '../../runtime/priority.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import type { BudgetGrant } from '../../workflows/signals-and-updates.ts';
import { callDeadlineMs } from './deadlines.ts';
import type { ReadReconciled } from './read-reconciled.ts';
import { startWorkflow } from './start-workflow.ts';
import { updateTask } from './update-task.ts';

export type TaskControlDeps = {
  client: Client;
  config: Pick<Config, 'ALFRED_TENANTS'>;
  log: Logger;
  metrics?: Pick<Metrics, 'rowsCorrected'> | undefined;
  tasks: Tasks;
  callbacks: Pick<Callbacks, 'get' | 'redeliver'>;
  effects: Pick<Effects, 'requestUndo'>;
  workflows: Workflows;
};

export const createTaskControl = (deps: TaskControlDeps & { readReconciled: ReadReconciled }): TaskControl => {
  const { client, config, tasks, callbacks, effects, workflows, log } = deps;
  const read = (reach: Reach, taskId: string) =>
    deps.readReconciled({
      workflowId: taskWorkflowId(taskId),
      read: () => tasks.get(reach, taskId),
      correct: (row, state) => correctRow(deps, row, state),
    });

  return {
    read,

    async start({ priority, ...task }) {
      try {
        await withTemporalTimeout(client, callDeadlineMs, () =>
          startWorkflow(client, 'agentTaskWorkflow', {
            ...taskStartOptions(task, priorityOf(config, task.tenant, priority)),
            workflowIdConflictPolicy: 'USE_EXISTING',
            requestEagerStart: true,
          }),
        );
      } catch (error) {
        // Otherwise the sweep would start it as one that Temporal has lost, although its caller may have asked again.
        await tasks
          .recordFailedStart(task)
          .catch((err: unknown) => log.warn({ err, taskId: task.taskId }, 'a failed start could not be noted'));
        throw error;
      }
    },

    async cancel(reach, taskId, { reason, undo, by = reach.subject }) {
      const row = await tasks.get(reach, taskId);
      // To undo is to call tools as the owner, which those who run the tenant's work may not.
      if (undo && row?.owner !== undefined)
        throw new AlfredError(
          'role_missing',
          'Only its owner may undo what a task has changed. Cancel it without undo.',
        );
      if (!row || isEnded(row.status)) return row;
      const owner = ownerOf(row, reach);
      await tasks.recordCancelRequest(owner, taskId, { reason, undo, by });
      if (await cancelWorkflow(client, taskId)) return row;
      // No workflow runs: the start never reached Temporal, or the row has to be reconciled.
      await read(reach, taskId);
      const end = { status: 'cancelled', reason: reason ?? 'Cancelled before it started.' } as const;
      await tasks.closeUnstarted({ ...owner, taskId }, end);
      return (await tasks.get(reach, taskId)) ?? row;
    },

    async undo(scope, taskId) {
      const row = await read(scope, taskId);
      if (!row) return undefined;
      if (!isEnded(row.status))
        throw new AlfredError(
          'task_running',
          `The task ${taskId} is ${row.status}. To stop it and undo what it has changed, cancel it with undo.`,
        );
      const { undone, ending } = await effects.requestUndo(scope, taskId);
      if (undone.length === 0 && ending.length === 0) return undoneBefore(row);
      for (const task of ending)
        await withTemporalTimeout(client, callDeadlineMs, () => workflows.cancelTask(task.taskId));
      for (const task of undone) await withTemporalTimeout(client, callDeadlineMs, () => workflows.undoTask(task));
      return (await tasks.get(scope, taskId)) ?? row;
    },

    async grantBudget(reach, taskId, grant) {
      const row = await tasks.get(reach, taskId);
      if (!row) return undefined;
      if (isEnded(row.status))
        throw new AlfredError('task_ended', `The task ${taskId} is ${row.status}; its budget matters no more.`);
      if (row.parentId)
        throw new AlfredError(
          'budget_refused',
          `The task ${taskId} has a share of the budget of ${row.parentId}. Grant more to that one; its agent decides what to delegate again.`,
        );
      await updateTask<BudgetLimits, BudgetGrant>(client, taskId, updateName.budget, grant);
      return (await tasks.get(reach, taskId)) ?? row;
    },

    async repeatCallback(scope, taskId) {
      const row = await read(scope, taskId);
      if (!row) return undefined;
      const callback = { taskId, tenant: scope.tenant, subject: scope.subject };
      if (!(await callbacks.get(callback)))
        throw new AlfredError('callback_missing', `The task ${taskId} has no callback.`);
      if (!isEnded(row.status))
        throw new AlfredError(
          'task_running',
          `The task ${taskId} is ${row.status}; its callback follows when it has ended.`,
        );
      // When Temporal does not answer now, the sweep finds the row and delivers.
      await callbacks.redeliver(callback);
      await withTemporalTimeout(client, callDeadlineMs, () => workflows.deliverCallback(callback, { restart: true }));
      return row;
    },
  };
};

/** Whose task a row is that was found within reach. */
const ownerOf = ({ owner }: TaskRow, { tenant, subject }: Reach): Scope => ({ tenant, subject: owner ?? subject });

/** @throws AlfredError `nothing_to_undo` unless an earlier request has undone something */
function undoneBefore(row: TaskRow): TaskRow {
  const { id, effects } = row;
  if (effects.some(({ state }) => state === 'undone')) return row;
  if (effects.length === 0) throw new AlfredError('nothing_to_undo', `The task ${id} has changed nothing outside.`);
  const states = effects.map(({ tool, state }) => `${tool} (${state.replaceAll('_', ' ')})`).join(', ');
  throw new AlfredError('nothing_to_undo', `Nothing that the task ${id} has done can be undone: ${states}.`);
}

/** @returns false when there is no running workflow */
async function cancelWorkflow(client: Client, taskId: string): Promise<boolean> {
  try {
    await withTemporalTimeout(client, callDeadlineMs, () => client.workflow.getHandle(taskWorkflowId(taskId)).cancel());
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Reconciles a task's row. @returns whether row and workflow disagreed, so that the row has to be read again */
async function correctRow(
  { tasks, metrics, log }: Pick<TaskControlDeps, 'tasks' | 'metrics' | 'log'>,
  { id: taskId, status }: TaskRow,
  state: WorkflowState,
): Promise<boolean> {
  if (isEnded(status) === (state.status !== 'running')) return false;
  const corrected = await tasks.reconcile(taskId, state);
  if (corrected) {
    const { found } = corrected;
    metrics?.rowsCorrected.inc({ found });
    log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
  }
  return true;
}
