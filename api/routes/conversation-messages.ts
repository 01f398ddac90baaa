import { v7 as newId } from 'uuid';
import {
  MessageList,
  MessageListQuery,
  MessageReceipt,
  MessageRequest,
  type ConversationMessage,
} from '../../contract/conversation.ts';
import { AlfredError } from '../../contract/errors.ts';
import { TaskInput } from '../../contract/task.ts';
import { checkInput } from '../check-input.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { usableAgents } from '../usable-agents.ts';
import { taskPath, type Views } from '../links.ts';
import { bodyProblems, ConversationParams, json, location, problems } from '../http/responses.ts';
import { isOther, messagesForReader } from '../read-shared.ts';
import { findReadableConversation, noConversation } from './conversations.ts';

type Deps = Pick<
  ApiDeps,
  'agents' | 'citations' | 'config' | 'conversationRows' | 'messages' | 'shares' | 'tenants'
> & {
  views: Views;
};

export const conversationMessageRoutes =
  ({ agents, citations, config, conversationRows, messages, shares, tenants, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/conversations/:id/messages',
      schema: {
        operationId: 'sendMessage',
        tags: ['conversations'],
        summary: 'Send a message',
        description:
          '202 means durable, and says what was decided: the message starts a task, waits for its turn, or takes the place of what runs. Send an `id` of your own, and a repeat is the same message. Its task can be read at once, and is `queued` until its turn.',
        params: ConversationParams,
        body: MessageRequest,
        response: {
          202: json('What becomes of it', MessageReceipt, location('the task')),
          ...problems(
            'not_found',
            'conversation_busy',
            'conversation_archived',
            'conversation_full',
            'tenant_limit',
            'message_id_reused',
            'unknown_agent',
            ...bodyProblems,
          ),
        },
      },
      handler: async ({ scope, params, body }, reply) => {
        const conversation = await conversationRows.get(scope, params.id);
        if (!conversation) throw noConversation(params.id);
        const { id = newId(), text, input: given, ...request } = body;
        const { input } = checkInput(await usableAgents({ agents, config, tenants }, scope), {
          agent: conversation.agent,
          input: given ?? { text: text ?? '' },
        });
        const receipt = await messages.submit(scope, params.id, { ...request, ...TaskInput.parse(input), id });
        if (receipt.outcome === 'rejected') throw busy(receipt.runningTaskId);
        if (receipt.taskId !== null) void reply.header('location', taskPath(receipt.taskId));
        return reply.code(202).send(views.receipt(receipt));
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/conversations/:id/messages',
      schema: {
        operationId: 'listMessages',
        tags: ['conversations'],
        summary: 'List messages and answers',
        description:
          'In order; an answer follows what it answers. The newest page comes first, and `nextCursor` leads to the ones before it. With `after` the pages go forward from that position. `limit` counts the messages of people; their answers come with them.',
        params: ConversationParams,
        querystring: MessageListQuery,
        response: { 200: json('One page, in order', MessageList), ...problems('not_found', 'invalid_request') },
      },
      handler: async (request, reply) => {
        const { scope, params, query } = request;
        const { id } = params;
        const { owner } = await findReadableConversation({ conversationRows, shares }, scope, id);
        const page = await conversationRows.listMessages(owner, id, { ...query, ...placeOf(query.cursor) });
        const isOfOther = isOther(scope, owner);
        if (isOfOther) request.readOfOther = { type: 'conversation', id };
        const shown = isOfOther ? await messagesForReader({ citations }, scope, page.messages) : page.messages;
        const nextCursor = page.hasMore ? cursorAfter(shown, query) : null;
        return reply.send({ messages: shown, hasMore: page.hasMore, nextCursor });
      },
    });
  };

/** The position that a cursor names: `after:7` or `before:7`. */
const placeOf = (cursor: string | undefined): { after?: number; before?: number } => {
  const [direction = '', position] = cursor?.split(':') ?? [];
  return position === undefined ? {} : { [direction]: Number(position) };
};

/** The cursor of the page that follows: later messages when the caller reads forward, else earlier ones. */
function cursorAfter(messages: ConversationMessage[], { after, cursor }: MessageListQuery): string | null {
  const [first, last] = [messages[0], messages.at(-1)];
  if (!first || !last) return null;
  const isForward = cursor === undefined ? after !== undefined : cursor.startsWith('after');
  return isForward ? `after:${last.position}` : `before:${first.position}`;
}

const busy = (taskId: string | null) =>
  new AlfredError(
    'conversation_busy',
    `The task ${taskId} was running in this conversation when the message came, and it was to be rejected then. To say it again use another id.`,
    { taskId: taskId ?? undefined },
  );
