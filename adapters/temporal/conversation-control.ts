import { setTimeout as sleep } from 'node:timers/promises';
import {
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import type { StopReceipt } from '../../contract/conversation.ts';
import { AlfredError } from '../../contract/errors.ts';
import { agentQueue, conversationWorkflowId, signalName, updateName } from '../../contract/ids.ts';
import type { ConversationRows, ConversationControl } from '../../contract/ports/index.ts';
import type { ConversationRef } from '../../contract/references.ts';
import { ownerSearchAttributes } from '../../contract/task-start.ts';
import type { Config } from '../../runtime/config.ts';
import { priorityOf } from '../../runtime/priority.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import type { MessageDecision } from '../../workflows/signals-and-updates.ts';
import { callDeadlineMs } from './deadlines.ts';
import { refusalOf } from './refusals.ts';
import { signalWithStart, workflowTaskTimeout, type Workflows } from './start-workflow.ts';

type Deps = {
  client: Client;
  conversations: Pick<ConversationRows, 'storeMessage' | 'recordStopRequest'>;
  config: Pick<Config, 'ALFRED_TENANTS'>;
};

/** Pauses between two attempts, in milliseconds: a conversation that is just ending is gone within the first. */
const pauses = { firstMs: 20, longestMs: 500 };

/**
 * Sends messages and stop requests to conversations: stores the row first, then makes one call that starts the
 * conversation's workflow if it does not run, and waits for its decision.
 */
export const createConversationControl = ({ client, conversations, config }: Deps): ConversationControl => {
  const startOptions = ({ conversationId, tenant, subject, agent }: ConversationRef) => ({
    workflowId: conversationWorkflowId(conversationId),
    taskQueue: agentQueue(agent),
    args: [{ conversationId, tenant, subject, agent }] as [ConversationRef],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    workflowTaskTimeout,
    priority: priorityOf(config, tenant),
    typedSearchAttributes: ownerSearchAttributes({ agent, tenant }),
    staticSummary: `${agent} · conversation ${conversationId}`,
  });

  const update = <Result>(
    conversation: ConversationRef,
    name: (typeof updateName)['message' | 'stop'],
    argument: object,
    updateId?: string,
  ): Promise<Result> =>
    retryWhileUnavailable(client, () =>
      client.workflow.executeUpdateWithStart<Workflows['conversationWorkflow'], Result, [object]>(name, {
        args: [argument],
        ...(updateId === undefined ? {} : { updateId }),
        startWorkflowOperation: new WithStartWorkflowOperation<Workflows['conversationWorkflow']>(
          'conversationWorkflow',
          { ...startOptions(conversation), workflowIdConflictPolicy: 'USE_EXISTING' },
        ),
      }),
    );

  return {
    async submit(principal, conversationId, message) {
      const { conversation, receipt } = await conversations.storeMessage(principal, conversationId, message);
      if (receipt) return receipt;
      const { id } = message;
      // Two concurrent requests with the same message are one update, also when they reach different processes.
      const updateId = `message/${id}`;
      const decision = await update<MessageDecision>(conversation, updateName.message, { messageId: id }, updateId);
      return { id, conversationId, ...decision };
    },

    async stop(principal, conversationId, { queued, reason, undo }) {
      const conversation = await conversations.recordStopRequest(principal, conversationId, {
        reason,
        undo,
        by: principal.subject,
      });
      if (!conversation) throw new AlfredError('not_found', `There is no conversation ${conversationId}.`);
      return update<StopReceipt>(conversation, updateName.stop, { queued });
    },

    wake: (conversation) =>
      withTemporalTimeout(client, callDeadlineMs, () =>
        signalWithStart(client, 'conversationWorkflow', { ...startOptions(conversation), signal: signalName.wake }),
      ),
  };
};

/**
 * Repeats a call to a conversation that is just ending, or that has as many updates in flight as it may.
 *
 * @throws AlfredError with the conversation's refusal; `temporal_unavailable` when there is no decision within 5 s
 */
async function retryWhileUnavailable<T>(client: Client, call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + callDeadlineMs;
  let pauseMs = pauses.firstMs;
  while (true) {
    try {
      return await withTemporalTimeout(client, Math.max(1, deadline - Date.now()), call);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal) throw refusal;
      // No worker has decided. The message may still be decided later; the caller's repeat finds that decision.
      const isLate = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
      if (isLate || (isTransient(error) && Date.now() + pauseMs >= deadline))
        throw new AlfredError('temporal_unavailable', undefined, { cause: error });
      if (!isTransient(error)) throw error;
    }
    // Jitter: callers that were turned away together must not come back together.
    await sleep(pauseMs * (0.5 + Math.random()));
    pauseMs = Math.min(2 * pauseMs, pauses.longestMs);
  }
}

/**
 * gRPC's ABORTED and RESOURCE_EXHAUSTED: the run closed during the call, or has as many updates in flight as it may.
 */
const transientStatuses = [8, 10];

function isTransient(error: unknown): boolean {
  // The run ended before it took the update, or before it answered.
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) return true;
  const cause = error instanceof ServiceError ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'number' && transientStatuses.includes(cause.code);
}
