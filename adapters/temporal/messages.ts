import { setTimeout as sleep } from 'node:timers/promises';
import {
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, defineSearchAttributeKey, type Workflow } from '@temporalio/common';
import type { MessageReceipt, StopReceipt } from '../../contract/conversation.ts';
import { AlfredError, isErrorCode } from '../../contract/errors.ts';
import { agentQueue, conversationWorkflowId, signalName, updateName } from '../../contract/ids.ts';
import type { ConversationRef } from '../../contract/references.ts';
import { searchAttributeTypes } from '../../contract/search-attributes.ts';
import type { Config } from '../../runtime/config.ts';
import { inTime } from '../../runtime/in-time.ts';
import { priorityOf } from '../../runtime/priority.ts';
import type { ConversationRows, Messages } from '../../contract/ports/index.ts';

type Deps = {
  client: Client;
  conversations: Pick<ConversationRows, 'receive' | 'askToStop'>;
  config: Pick<Config, 'ALFRED_TENANTS'>;
};

/** How long a conversation may take to say what it decided, before the caller is told to come back. */
const deadlineMs = 5_000;
/** Pauses between two attempts, in milliseconds: conversations that are just ending are gone within one. */
const pauses = { first: 20, longest: 500 };

const agentKey = defineSearchAttributeKey('AlfredAgent', searchAttributeTypes.AlfredAgent);
const tenantKey = defineSearchAttributeKey('AlfredTenant', searchAttributeTypes.AlfredTenant);

/**
 * Speaks to conversations: the row first, then one round trip that starts the conversation's workflow if it does not run
 * and waits for what it decides.
 */
export const createMessages = ({ client, conversations, config }: Deps): Messages => {
  const startOf = ({ conversationId, tenant, subject, agent }: ConversationRef) => ({
    workflowId: conversationWorkflowId(conversationId),
    taskQueue: agentQueue(agent),
    args: [{ conversationId, tenant, subject, agent }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowTaskTimeout: '5s' as const,
    priority: priorityOf(config, tenant),
    typedSearchAttributes: [
      { key: agentKey, value: agent },
      { key: tenantKey, value: tenant },
    ],
    staticSummary: `${agent} · conversation ${conversationId}`,
  });
  const update = <T>(to: ConversationRef, name: string, argument: object, updateId?: string): Promise<T> =>
    untilHeard(client, () =>
      client.workflow.executeUpdateWithStart<Workflow, T, [object]>(name, {
        args: [argument],
        ...(updateId === undefined ? {} : { updateId }),
        startWorkflowOperation: new WithStartWorkflowOperation('conversationWorkflow', startOf(to)),
      }),
    );

  return {
    async submit(who, conversationId, message) {
      const { conversation, receipt } = await conversations.receive(who, conversationId, message);
      if (receipt) return receipt;
      const { id } = message;
      // Twins that come at once are one update, whichever door they come through.
      const decision = await update<Omit<MessageReceipt, 'id' | 'conversationId' | 'links'>>(
        conversation,
        updateName.message,
        { messageId: id },
        `message/${id}`,
      );
      return { id, conversationId, ...decision };
    },

    async stop({ subject, ...who }, conversationId, { queued, reason, undo }) {
      const conversation = await conversations.askToStop({ ...who, subject }, conversationId, {
        ...{ reason, undo, by: subject },
      });
      if (!conversation) throw new AlfredError('not_found', `There is no conversation ${conversationId}.`);
      return update<StopReceipt>(conversation, updateName.stop, { queued });
    },

    async wake(conversation) {
      const { workflowIdConflictPolicy: _, ...start } = startOf(conversation);
      await inTime(client, deadlineMs, () =>
        client.workflow.signalWithStart('conversationWorkflow', { ...start, signal: signalName.wake, signalArgs: [] }),
      );
    },
  };
};

/** Repeats a call to a conversation that is just ending, or that hears too many at once. */
async function untilHeard<T>(client: Client, call: () => Promise<T>): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (let pauseMs = pauses.first; ; pauseMs = Math.min(2 * pauseMs, pauses.longest)) {
    try {
      return await inTime(client, Math.max(1, end - Date.now()), call);
    } catch (error) {
      const refused = refusalIn(error);
      if (refused) throw refused;
      // No worker decides: the message may still be decided later, and the caller's repeat finds that.
      const isLate = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
      if (isLate || (isPassing(error) && Date.now() + pauseMs >= end))
        throw new AlfredError('temporal_unavailable', undefined, { cause: error });
      if (!isPassing(error)) throw error;
    }
    // Those that were turned away together do not come back together.
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

/** What the conversation itself said. */
function refusalIn(error: unknown): AlfredError | undefined {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure && isErrorCode(cause.type)
    ? new AlfredError(cause.type, cause.message)
    : undefined;
}

/** ABORTED and RESOURCE_EXHAUSTED: the run closed under the call, or has as many updates as it may. */
const passingStatuses = [8, 10];

function isPassing(error: unknown): boolean {
  // The run ended before it took the update, or before it answered.
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) return true;
  const cause = error instanceof ServiceError ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'number' && passingStatuses.includes(cause.code);
}
