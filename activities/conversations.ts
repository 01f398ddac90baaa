import type { Priority } from '@temporalio/common';
import { AlfredError } from '../contract/errors.ts';
import type { MessageReceipt, StopReceipt, StopRequest } from '../contract/conversation.ts';
import type { ConversationRef, MessageHead, TaskRef, ToolResultRef } from '../contract/references.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { withHeartbeat } from './activity-context.ts';
import type { AgentSettingsDeps } from './agent-settings.ts';
import { hasTaskEnded } from './has-task-ended.ts';
import type { ConversationTurns, TaskEvents, Tasks, Workflows } from '../contract/ports/index.ts';

export type ConversationDeps = AgentSettingsDeps & {
  turns: ConversationTurns;
  tasks: Tasks;
  events: Pick<TaskEvents, 'waitForEnd'>;
  workflows: Workflows;
  /** A task's priority while tasks wait for workers; `priorityKey`: 1 (first) to 5 (last). */
  priorityOf(tenant: string, priorityKey: number | undefined): Priority;
  metrics: Metrics;
  log: Logger;
};

/** When a conversation is looked at again whose tasks are being undone. */
const undoPauseMs = 30_000;

type ConversationArg = { conversation: ConversationRef };
type DecidedMessage = Pick<MessageReceipt, 'id' | 'outcome' | 'position' | 'taskId' | 'runningTaskId'>;

/** Reads and writes of a conversation's rows; all but the long ones run as local activities. */
export const createConversationActivities = (deps: ConversationDeps) => {
  const { turns, tasks, events, metrics, log } = deps;
  return {
    isDeleted: ({ conversation }: ConversationArg): Promise<boolean> => turns.isDeleted(conversation),

    /** Decides about messages in this order. Omits the messages of a deleted conversation. */
    async decideMessages({
      conversation,
      messageIds,
    }: ConversationArg & { messageIds: string[] }): Promise<DecidedMessage[]> {
      const decided = await turns.decide(conversation, messageIds);
      for (const { receipt, isNew } of decided)
        if (isNew) metrics.conversationMessages.inc({ agent: conversation.agent, outcome: receipt.outcome });
      return decided.map(({ receipt: { conversationId: _, ...receipt } }) => receipt);
    },

    /**
     * Begins the turn of the next message, or returns the turn that is under way. @returns undefined when none waits
     */
    async beginTurn({
      conversation,
    }: ConversationArg): Promise<
      { task: TaskRef; head: MessageHead; priority: Priority; isEnding: boolean } | undefined
    > {
      const { agents: own } = await deps.tenants.find(conversation.tenant);
      const turn = await turns.begin(conversation, (agent) => deps.agentInTenant(agent, own.get(agent)));
      return turn && { ...turn, priority: deps.priorityOf(conversation.tenant, turn.priority) };
    },

    /** @returns false when the task has not ended after all, because its workflow was reset */
    async endTurn({ conversation, taskId }: ConversationArg & { taskId: string }): Promise<boolean> {
      if (!(await hasTaskEnded(deps, taskId))) return false;
      const heir = await turns.end(conversation, taskId);
      if (heir !== undefined) {
        metrics.conversationHandovers.inc({ agent: heir });
        log.info(
          { conversationId: conversation.conversationId, taskId, agent: heir },
          'a conversation was handed over',
        );
      }
      return true;
    },

    /** Whether the task's row shows its end. */
    hasTaskEnded: async ({ taskId }: { taskId: string }): Promise<boolean> =>
      (await tasks.listStates([taskId])).every(({ status }) => isEnded(status)),

    /** Resolves when the task's row shows its end. Holds a place of the worker as long. */
    awaitTask: ({ taskId }: { taskId: string }): Promise<void> =>
      withHeartbeat(async (signal) => {
        await events.waitForEnd(taskId, signal);
        signal.throwIfAborted();
      }),

    /** @returns the task to cancel, and the messages that will not be answered */
    stopConversation: ({ conversation, queued }: ConversationArg & Pick<StopRequest, 'queued'>): Promise<StopReceipt> =>
      turns.stop(conversation, queued),

    /**
     * Gives a running task its new messages before the next model call. They are appended after the pending results. A
     * repeat for the same step returns the same head.
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

    /** The task that still runs, although no run of the conversation waits for it. */
    runningTaskOf: ({ conversation }: ConversationArg): Promise<string | null> => turns.findRunningTask(conversation),

    async eraseConversation({ conversation }: ConversationArg): Promise<void> {
      if (!(await turns.erase(conversation)))
        throw new AlfredError('task_running', 'What a task of the conversation has changed is still being undone.', {
          // Tried again, however often.
          failures: 0,
          retryAfterMs: undoPauseMs,
        });
      log.info({ conversationId: conversation.conversationId }, 'a conversation was erased');
    },
  };
};
