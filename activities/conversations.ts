import type { Priority } from '@temporalio/common';
import { taskWorkflowId } from '../contract/ids.ts';
import type { MessageReceipt, StopReceipt, StopRequest } from '../contract/conversation.ts';
import type { BudgetLimits, ConversationRef, MessageHead, TaskRef, ToolResultRef } from '../contract/references.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { withHeartbeat } from './activity-context.ts';
import type { ConversationTurns, TaskEvents, Tasks, Workflows } from '../contract/ports/index.ts';

export type ConversationDeps = {
  turns: ConversationTurns;
  tasks: Tasks;
  events: Pick<TaskEvents, 'waitForEnd'>;
  workflows: Workflows;
  /** An agent's own limits for one task. */
  budgetOf(agent: string): BudgetLimits;
  /** Whose turn a task is while tasks wait for workers. */
  priorityOf(tenant: string, priorityKey: number | undefined): Priority;
  metrics: Metrics;
  log: Logger;
};

type About = { conversation: ConversationRef };
type Decided = Pick<MessageReceipt, 'id' | 'outcome' | 'position' | 'taskId' | 'runningTaskId'>;

/** What a conversation asks of its rows; run as local activities, all but the long ones. */
export const createConversationActivities = (deps: ConversationDeps) => {
  const { turns, tasks, events, workflows, metrics, log } = deps;
  return {
    isDeleted: ({ conversation }: About): Promise<boolean> => turns.isDeleted(conversation),

    /** Decides about messages in this order. Those of a deleted conversation are left out. */
    async decideMessages({ conversation, messageIds }: About & { messageIds: string[] }): Promise<Decided[]> {
      const decided = await turns.decide(conversation, messageIds);
      for (const { receipt, isNew } of decided)
        if (isNew) metrics.conversationMessages.inc({ agent: conversation.agent, outcome: receipt.outcome });
      return decided.map(({ receipt: { conversationId: _, ...receipt } }) => receipt);
    },

    /** The next message in line gets its turn, or the one under way is found again. */
    async beginTurn({
      conversation,
    }: About): Promise<{ task: TaskRef; head: MessageHead; priority: Priority; isEnding: boolean } | undefined> {
      const begun = await turns.begin(conversation, deps.budgetOf(conversation.agent));
      return begun && { ...begun, priority: deps.priorityOf(conversation.tenant, begun.priority) };
    },

    /** @returns false when the task has not ended after all: somebody reset it */
    async endTurn({ conversation, taskId }: About & { taskId: string }): Promise<boolean> {
      if (!(await hasEnded(taskId))) return false;
      await turns.end(conversation, taskId);
      return true;
    },

    /** Resolves when the task's row says that it has ended, whoever ended it. */
    awaitTask: ({ taskId }: { taskId: string }): Promise<void> =>
      withHeartbeat(async (signal) => {
        await events.waitForEnd(taskId, signal);
        signal.throwIfAborted();
      }),

    /** @returns the task that is to be cancelled, and what will not be answered */
    stopConversation: ({ conversation, queued }: About & Pick<StopRequest, 'queued'>): Promise<StopReceipt> =>
      turns.stop(conversation, queued),

    /**
     * Gives a running task the messages that wait for it, before it asks its model again: they stand behind the results
     * that are pending. For the same step it returns the same head.
     */
    takeSteering: async ({
      task,
      ...at
    }: {
      task: TaskRef;
      step: number;
      head: MessageHead;
      results: ToolResultRef[];
    }): Promise<{ head: MessageHead; hasMore?: true }> => turns.takeSteering(task, at),

    /** The task that runs although nobody waits for it any more. */
    runningTaskOf: ({ conversation }: About): Promise<string | null> => turns.findRunningTask(conversation),

    async eraseConversation({ conversation }: About): Promise<void> {
      await turns.erase(conversation);
      log.info({ conversationId: conversation.conversationId }, 'a conversation was erased');
    },
  };

  /** A workflow writes its end to the row before it ends; one that could not is made true first. */
  async function hasEnded(taskId: string): Promise<boolean> {
    const ended = async () => (await tasks.listStates([taskId])).every(({ status }) => isEnded(status));
    if (await ended()) return true;
    const found = await tasks.reconcile(taskId, await workflows.describe(taskWorkflowId(taskId)));
    if (found !== undefined) {
      metrics.rowsCorrected.inc({ found });
      log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
    }
    return ended();
  }
};
