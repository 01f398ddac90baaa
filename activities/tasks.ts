import type { Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { ContentHash, TaskPlan, TaskRef } from '../contract/references.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { currentRun } from './current-run.ts';
import type { Closure, TaskRow, Tasks } from './ports.ts';

export type TaskDeps = { tasks: Tasks; agents: Agents; defaultModel: string; metrics: Metrics };

/** Short writes to a task's row; run as local activities. */
export const createTaskActivities = ({ tasks, agents, defaultModel, metrics }: TaskDeps) => {
  const count = (row: TaskRow | undefined) => {
    if (!row || !isEnded(row.status) || !row.endedAt) return;
    const { agent, status } = row;
    metrics.tasksProcessed.inc({ agent, status });
    metrics.taskDuration.observe({ agent, status }, (Date.parse(row.endedAt) - Date.parse(row.createdAt)) / 1_000);
    if (status === 'failed') metrics.taskFailures.inc({ agent, code: row.error?.code ?? 'internal' });
  };

  return {
    /** queued → running. @returns the agent's definition, recorded so that replay never sees a newer one */
    async startTask({ task }: { task: TaskRef }): Promise<TaskPlan> {
      const agent = agents[task.agent];
      if (!agent) throw new AlfredError('unknown_agent', `There is no agent "${task.agent}" in this version.`);
      const { budget } = await tasks.start(task, currentRun(), defaultModel);
      return { model: defaultModel, maxSteps: agent.maxSteps, budget };
    },

    async completeTask({ task, result }: { task: TaskRef; result: ContentHash }): Promise<void> {
      count(await tasks.complete(task, currentRun(), result));
    },

    async closeTask({ task, closure }: { task: TaskRef; closure: Closure }): Promise<void> {
      count(await tasks.close(task, currentRun(), closure));
    },
  };
};
