import type { Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { BudgetLimits, ContentHash, MessageHead, WaitReason, TaskPlan, TaskRef } from '../contract/references.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { citationsOf, numberPassages } from './context/citations.ts';
import { currentRun } from './current-run.ts';
import type {
  Callbacks,
  TaskClosure,
  MessageStore,
  ParkedTasks,
  TaskRow,
  Tasks,
  Workflows,
} from '../contract/ports/index.ts';

export type TaskDeps = {
  tasks: Tasks;
  messageStore: MessageStore;
  parked: ParkedTasks;
  callbacks: Pick<Callbacks, 'get'>;
  workflows: Workflows;
  agents: Agents;
  /** The models an agent asks, the first one first. */
  modelsOf(agent: string): [string, ...string[]];
  metrics: Metrics;
  log: Logger;
};

/** Short writes to a task's row; run as local activities. */
export const createTaskActivities = (deps: TaskDeps) => {
  const { tasks, messageStore: conversations, parked, callbacks, workflows, agents, metrics, log } = deps;
  const count = (row: TaskRow | undefined) => {
    if (!row || !isEnded(row.status) || !row.endedAt) return;
    const { agent, status } = row;
    metrics.tasksProcessed.inc({ agent, status });
    metrics.taskDuration.observe({ agent, status }, (Date.parse(row.endedAt) - Date.parse(row.createdAt)) / 1_000);
    if (status === 'failed') metrics.taskFailures.inc({ agent, code: row.error?.code ?? 'internal' });
  };
  /** Once a task has ended: what is counted, and who is told. */
  const ended = async ({ taskId, tenant, subject }: TaskRef, row: TaskRow | undefined) => {
    count(row);
    const callback = { taskId, tenant, subject };
    if (!row || !(await callbacks.get(callback, taskId))) return;
    // The task has ended all the same; the sweep makes up for it.
    await workflows.deliverCallback(callback).catch((error: unknown) => {
      log.warn({ err: error, taskId }, 'the delivery of a callback could not be started');
    });
  };

  return {
    /** queued → running. @returns the agent's definition, recorded so that replay never sees a newer one */
    async startTask({ task }: { task: TaskRef }): Promise<TaskPlan> {
      const agent = Object.hasOwn(agents, task.agent) ? agents[task.agent] : undefined;
      if (!agent) throw new AlfredError('unknown_agent', `There is no agent "${task.agent}" in this version.`);
      const [model, ...fallbacks] = deps.modelsOf(task.agent);
      const { budget } = await tasks.start(task, currentRun(), model);
      return { model, ...(fallbacks.length ? { fallbacks } : {}), maxSteps: agent.maxSteps, budget };
    },

    /** The row speaks for this run from here on. @param from the run that continued as this one */
    carryOn: ({ task, from }: { task: TaskRef; from: string }): Promise<void> =>
      tasks.recordContinuation(task, currentRun(), from),

    /** running → waiting. A task that waits for a model stands in line for it. */
    async waitFor({ task, stop }: { task: TaskRef; stop: WaitReason }): Promise<void> {
      if (stop.reason === 'budget') metrics.budgetStops.inc({ scope: stop.scope, limit: stop.limit });
      if (stop.reason === 'outage') await parked.park(task, stop.model);
      await tasks.markWaiting(task, currentRun(), stop);
      if (stop.reason === 'outage') await workflows.watchOutage(stop.model);
    },

    /** waiting → running. */
    async goOn({ task, reason }: { task: TaskRef; reason: string }): Promise<void> {
      await tasks.markResumed(task, currentRun(), reason);
      await parked.unpark(task.taskId);
    },

    /** @returns all limits of the task, the wider ones among them */
    grantBudget: ({ task, more }: { task: TaskRef; more: BudgetLimits }): Promise<BudgetLimits> =>
      tasks.grantBudget(task, currentRun(), more),

    /** What a task has so far, as its result: the last words of the model, and what they cite. */
    async conclude({ task, head }: { task: TaskRef; head: MessageHead }): Promise<ContentHash> {
      const messages = numberPassages(await conversations.loadAll(task, head));
      // In a conversation others have answered what was asked before.
      const asked = messages.findLastIndex((message) => message.role === 'user' && message.because === undefined);
      const said = messages
        .slice(asked + 1)
        .flatMap((message) =>
          message.role === 'assistant'
            ? message.parts.flatMap((part) => (part.type === 'text' && part.text.trim() ? [part] : []))
            : [],
        );
      const { text, citations: places } = said.at(-1) ?? { text: 'The budget ended before there was an answer.' };
      const citations = citationsOf(text, messages, places);
      return tasks.storeResult(task, { text, citations, incomplete: 'budget' });
    },

    async completeTask({ task, result }: { task: TaskRef; result: ContentHash }): Promise<void> {
      await ended(task, await tasks.complete(task, currentRun(), result));
    },

    async closeTask({ task, closure }: { task: TaskRef; closure: TaskClosure }): Promise<void> {
      await ended(task, await tasks.close(task, currentRun(), closure));
    },
  };
};
