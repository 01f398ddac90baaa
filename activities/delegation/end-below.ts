import type { Delegations, TaskRow, Tasks, ToolCallKey, Workflows } from '../../contract/ports/index.ts';
import { noUsage, type TaskRef } from '../../contract/references.ts';
import { abandonedReason } from '../../contract/rules/task-reconciliation.ts';
import type { TaskUsage } from '../../contract/task.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { forEachConcurrently } from '../documents/for-each-concurrently.ts';
import { hasTaskEnded } from '../has-task-ended.ts';

export type EndBelowDeps = {
  delegations: Pick<Delegations, 'listOpenBelow' | 'settle'>;
  tasks: Pick<Tasks, 'closeUnstarted' | 'get' | 'listOpenBelow' | 'listStates' | 'reconcile'>;
  workflows: Pick<Workflows, 'cancelTask' | 'describe'>;
  metrics: Metrics;
  log: Logger;
};

/** So many tasks are asked to end at the same time. */
const atOnce = 8;
/** A pass takes no longer: it runs as a local activity. What it leaves is for the next one. In milliseconds. */
const passMs = 5_000;

/**
 * Ends all tasks below one that is about to end without an answer, also those that this run of it has not started: a
 * run before a reset has, or the sweep.
 *
 * @returns how many of them have not ended yet, or are not settled
 */
export async function endBelow(deps: EndBelowDeps, task: TaskRef, { withinMs = passMs } = {}): Promise<number> {
  const endsAt = performance.now() + withinMs;
  let left = 0;
  const inTime = <T>(rows: readonly T[], work: (row: T) => Promise<void>) =>
    forEachConcurrently(fromAnywhere(rows), atOnce, async (row) => {
      if (performance.now() >= endsAt) left++;
      else await work(row);
    });
  await inTime(await deps.tasks.listOpenBelow(task), (child) => endChild(deps, child, abandonedReason));
  await inTime(await deps.delegations.listOpenBelow(task), async ({ parent, call, child }) => {
    if (await hasTaskEnded(deps, child.taskId)) await settleChild(deps, parent, { call, child });
  });
  return Math.max(left, (await deps.tasks.listOpenBelow(task)).length);
}

/** The rows from a random one on, and those before it at the end: each pass reaches others first. */
function fromAnywhere<T>(rows: readonly T[]): T[] {
  const from = Math.floor(Math.random() * rows.length);
  return [...rows.slice(from), ...rows.slice(0, from)];
}

/** Ends a child that no worker has begun, and asks any other to end. */
export async function endChild(
  { tasks, workflows }: Pick<EndBelowDeps, 'tasks' | 'workflows'>,
  child: TaskRef,
  reason: string,
): Promise<void> {
  await tasks.closeUnstarted(child, { status: 'cancelled', reason });
  await workflows.cancelTask(child.taskId);
}

/** Gives back what an ended child has not spent. @returns its row; undefined when its content was deleted */
export async function settleChild(
  deps: EndBelowDeps,
  parent: TaskRef,
  { call, child }: { call: ToolCallKey; child: TaskRef },
): Promise<TaskRow | undefined> {
  const { taskId, agent } = child;
  // A deleted child is not visible any more.
  const row = await deps.tasks.get(child, taskId);
  const { status, error, usage } = row ?? (await endOfDeleted(deps, child));
  await deps.delegations.settle(parent, call, {
    taskId,
    agent,
    status,
    error,
    usage,
    ...(row?.artifacts ? { artifacts: row.artifacts } : {}),
  });
  deps.metrics.delegations.inc({ agent, outcome: status });
  deps.log.info({ taskId: parent.taskId, childId: taskId, agent, status }, 'a delegated task has ended');
  return row;
}

async function endOfDeleted(
  { tasks }: EndBelowDeps,
  { taskId }: TaskRef,
): Promise<Pick<TaskRow, 'status' | 'error'> & { usage: TaskUsage }> {
  const [state] = await tasks.listStates([taskId]);
  return { status: state?.status ?? 'cancelled', error: null, usage: { modelCalls: 0, ...noUsage } };
}
