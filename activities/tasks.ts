import type { Agents } from '../agents/index.ts';
import type { BudgetLimits, ContentHash, MessageHead, WaitReason, TaskPlan, TaskRef } from '../contract/references.ts';
import type { TaskStatus } from '../contract/task.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { currentRun, requireAgent } from './activity-context.ts';
import { beginTask, type BeginTaskDeps } from './begin-task.ts';
import {
  citationsOf,
  isCitingAgent,
  numberPassages,
  replaceUnknownCitations,
  unknownNumbers,
} from './context/citations.ts';
import { loadCitedResults } from './model/cited-answer.ts';
import { stepLimitMs } from '../contract/rules/call-limit.ts';
import { waitForInterruptedCalls } from './model/earlier-attempts.ts';
import type {
  CallLeases,
  Effects,
  EndedTask,
  Ledger,
  Message,
  TaskEnd,
  MessageStore,
  ParkedTasks,
  Tasks,
  Workflows,
} from '../contract/ports/index.ts';

export type TaskDeps = BeginTaskDeps & {
  ledger: Pick<Ledger, 'listOpenCalls' | 'writeOffOpenCalls' | 'findCutAnswer'>;
  leases: CallLeases;
  /** The output limit of one model call, in tokens. */
  maxOutputTokens: number;
  tasks: Tasks;
  messageStore: MessageStore;
  parked: ParkedTasks;
  effects: Pick<Effects, 'markLateUndo'>;
  workflows: Workflows;
  agents: Agents;
  metrics: Metrics;
  log: Logger;
};

/** Short writes to a task's row; run as local activities. */
export const createTaskActivities = (deps: TaskDeps) => {
  const { tasks, messageStore, parked, workflows, agents, metrics } = deps;
  return {
    /** queued → running. @returns the agent's definition, recorded so that replay never sees a newer one */
    async startTask({ task }: { task: TaskRef }): Promise<TaskPlan> {
      const agent = requireAgent(agents, task.agent);
      const { remote } = agent;
      const modelsOf: TaskDeps['modelsOf'] = remote ? () => [`${remote.protocol}:${task.agent}`] : deps.modelsOf;
      const callTimeoutMs = stepLimitMs(deps.maxOutputTokens);
      const {
        budget,
        isSteered,
        models: [model, ...fallbacks],
      } = await beginTask({ ...deps, modelsOf }, task);
      return {
        model,
        ...(fallbacks.length ? { fallbacks } : {}),
        maxSteps: agent.maxSteps,
        budget,
        callTimeoutMs,
        ...(isSteered ? { isSteered } : {}),
        ...(remote ? { remote: true as const } : {}),
      };
    },

    /** Records that the task continues in this run. @param from the run that continued as this one */
    carryOn: ({ task, from }: { task: TaskRef; from: string }): Promise<void> =>
      tasks.recordContinuation(task, currentRun(), from),

    /** running → waiting. A task that waits for a model joins the model's queue of parked tasks. */
    markWaiting: async ({ task, stop }: { task: TaskRef; stop: WaitReason }): Promise<void> => {
      if (stop.reason === 'budget') metrics.budgetStops.inc({ scope: stop.scope, limit: stop.limit });
      if (stop.reason === 'outage') await parked.park(task, stop.model);
      await tasks.markWaiting(task, currentRun(), stop);
      if (stop.reason === 'outage') await workflows.watchOutage(stop.model);
    },

    /** waiting → running. */
    markResumed: async ({ task, reason }: { task: TaskRef; reason: string }): Promise<void> => {
      await tasks.markResumed(task, currentRun(), reason);
      await parked.unpark(task.taskId);
    },

    /** Raises limits of the task. @returns all its limits */
    grantBudget: ({ task, more }: { task: TaskRef; more: BudgetLimits }): Promise<BudgetLimits> =>
      tasks.grantBudget(task, currentRun(), more),

    /** Stores a partial result: the model's last text, with its citations. @returns the result's hash */
    async conclude({ task, head }: { task: TaskRef; head: MessageHead }): Promise<ContentHash> {
      await tasks.adopt(task, currentRun());
      await waitForInterruptedCalls(deps, task);
      const lastHead = (await deps.ledger.findCutAnswer(task)) ?? head;
      const { text: lastText, citations: places, shown } = await loadLastText(messageStore, task, lastHead);
      const conversation = { messages: shown };
      const messages = await loadCitedResults(deps, task, { head: lastHead, conversation }, lastText);
      const agent = requireAgent(agents, task.agent);
      const isCiting = isCitingAgent(agent) && !agent.answer;
      const text = isCiting ? replaceUnknownCitations(lastText, unknownNumbers(lastText, messages)) : lastText;
      const citations = citationsOf(text, messages, places);
      const grounded = isCiting ? { grounded: citations.length > 0 } : {};
      return tasks.storeResult(task, currentRun(), { text, citations, incomplete: 'budget', ...grounded });
    },

    /** @returns how it ended; undefined when this run had ended it before */
    async completeTask({
      task,
      result,
    }: {
      task: TaskRef;
      result: ContentHash;
    }): Promise<{ status: TaskStatus } | undefined> {
      const ended = await tasks.complete(task, currentRun(), result);
      await afterEnd(deps, task, ended);
      return ended && { status: ended.status };
    },

    async closeTask({ task, closure }: { task: TaskRef; closure: TaskEnd }): Promise<void> {
      // A run that was superseded takes nothing back from the one that has the row now, nor ends its calls.
      if (closure.status !== 'failed' || closure.code !== 'superseded') {
        await tasks.adopt(task, currentRun());
        // A call that Temporal has stopped waiting for asks the row whether it is wanted, and a cancellation from
        // Temporal's page has not written that.
        if (closure.status === 'cancelled') await tasks.recordCancelRequest(task, task.taskId, {});
        await waitForInterruptedCalls(deps, task);
      }
      await afterEnd(deps, task, await tasks.close(task, currentRun(), closure));
    },
  };
};

/** The model's last text, and the conversation as the model got it, with numbered passages. */
async function loadLastText(messageStore: MessageStore, task: TaskRef, head: MessageHead) {
  const shown = numberPassages((await messageStore.load(task, head)).messages);
  // A summary may have taken the place of the last text.
  const last =
    lastTextOf(shown) ??
    (shown[0]?.role === 'compaction' ? lastTextOf(await messageStore.loadAll(task, head)) : undefined);
  const { text = 'The budget ended before there was an answer.', citations } = last ?? {};
  return { text, citations, shown };
}

/** The model's last text after the newest question. Earlier texts of a conversation answer earlier questions. */
function lastTextOf(messages: Message[]) {
  const question = messages.findLastIndex((message) => message.role === 'user' && message.because === undefined);
  return messages
    .slice(question + 1)
    .flatMap((message) =>
      message.role === 'assistant'
        ? message.parts.flatMap((part) => (part.type === 'text' && part.text.trim() ? [part] : []))
        : [],
    )
    .at(-1);
}

/** Counts an ended task, and starts its callback. @param row undefined when the task had ended before */
async function afterEnd(deps: TaskDeps, task: TaskRef, row: EndedTask | undefined) {
  const { workflows, metrics, log } = deps;
  const { taskId, tenant, subject } = task;
  count(metrics, row);
  // Without a row too: an attempt before may have stopped between the end and this.
  if ((!row || row.parentId) && (await deps.effects.markLateUndo(task))) await workflows.undoTask(task);
  if (!row?.hasCallback) return;
  // A failure here does not fail the task: the sweep starts the delivery again.
  await workflows.deliverCallback({ taskId, tenant, subject }).catch((error: unknown) => {
    log.warn({ err: error, taskId }, 'the delivery of a callback could not be started');
  });
}

function count(metrics: Metrics, row: EndedTask | undefined) {
  if (!row?.endedAt) return;
  const { agent, status } = row;
  metrics.tasksProcessed.inc({ agent, status });
  metrics.taskDuration.observe({ agent, status }, (Date.parse(row.endedAt) - Date.parse(row.createdAt)) / 1_000);
  if (status === 'failed') metrics.taskFailures.inc({ agent, code: row.error?.code ?? 'internal' });
}
