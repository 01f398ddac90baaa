import {
  Conversation,
  ConversationEventPage,
  MessageList,
  type ConversationMessage,
} from '../../contract/conversation.ts';
import type { ApiClient } from '../client/api-client.ts';
import { CliError, usageError } from '../cli-error.ts';
import { conversationPath } from './message-sender.ts';

/** How far back the beginning of the answer that runs is looked for, in events. */
const lookBack = 1_000;

/** The conversation to go on with. @throws when it takes no messages, or is with another agent */
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

/** What was said last, and from which event on the answer that runs can be watched. */
export async function lookBackAt(
  api: ApiClient,
  { id, lastSeq, runningTaskId }: Conversation,
): Promise<{ messages: ConversationMessage[]; after: number }> {
  const path = conversationPath(id);
  const { messages } = await api.call(`${path}/messages`, { answer: MessageList });
  if (runningTaskId === null) return { messages, after: lastSeq };
  const { events } = await api.call(`${path}/events`, {
    query: { after: Math.max(0, lastSeq - lookBack) },
    answer: ConversationEventPage,
  });
  const began = events.find(
    ({ type, data }) => type === 'conversation.turn' && data.taskId === runningTaskId && data.state === 'running',
  );
  return { messages, after: began ? began.seq - 1 : lastSeq };
}
