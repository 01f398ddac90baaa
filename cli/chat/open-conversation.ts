import {
  Conversation,
  ConversationEventPage,
  MessageList,
  type ConversationMessage,
} from '../../contract/conversation.ts';
import type { ApiClient } from '../client/api-client.ts';
import { CliError, usageError } from '../cli-error.ts';
import { conversationPath } from './message-sender.ts';

/** The start of the running task's turn is searched among this many last events. */
const searchedEvents = 1_000;

/** Reads the conversation to continue. @throws CliError when it is archived, or is with another agent */
export async function openConversation(api: ApiClient, id: string, agent: string | undefined): Promise<Conversation> {
  const conversation = await api.call(conversationPath(id), { answer: Conversation });
  if (conversation.archived)
    throw new CliError(
      `The conversation ${id} is archived. Take it back first: alfred conversations archive --undo ${id}`,
    );
  if (agent !== undefined && agent !== conversation.agent)
    throw usageError(`The conversation ${id} is with the agent ${conversation.agent}; leave --agent out.`);
  return conversation;
}

/**
 * @returns the latest messages, and the event after which to follow: where the running task's turn began, so that its
 *   answer is shown from the start; without a running task, the last event
 */
export async function loadRecentMessages(
  api: ApiClient,
  { id, lastSeq, runningTaskId }: Conversation,
): Promise<{ messages: ConversationMessage[]; after: number }> {
  const path = conversationPath(id);
  const { messages } = await api.call(`${path}/messages`, { answer: MessageList });
  if (runningTaskId === null) return { messages, after: lastSeq };
  const { events } = await api.call(`${path}/events`, {
    query: { after: Math.max(0, lastSeq - searchedEvents) },
    answer: ConversationEventPage,
  });
  const turnStart = events.find(
    ({ type, data }) => type === 'conversation.turn' && data.taskId === runningTaskId && data.state === 'running',
  );
  return { messages, after: turnStart ? turnStart.seq - 1 : lastSeq };
}
