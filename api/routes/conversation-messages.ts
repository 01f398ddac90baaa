import { v7 as newId } from 'uuid';
import { MessageList, MessageListQuery, MessageReceipt, MessageRequest } from '../../contract/conversation.ts';
import { AlfredError } from '../../contract/errors.ts';
import { checkInput } from '../check-input.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { taskPath, type Views } from '../links.ts';
import { bodyProblems, IdParams, json, location, problems } from '../http/responses.ts';
import { noConversation } from './conversations.ts';

type Deps = Pick<ApiDeps, 'agents' | 'conversationRows' | 'messages'> & { views: Views };

export const conversationMessageRoutes =
  ({ agents, conversationRows, messages, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/conversations/:id/messages',
      schema: {
        operationId: 'sendMessage',
        tags: ['conversations'],
        summary: 'Say something in a conversation',
        description:
          '202 means durable, and says what was decided: the message starts a task, waits for its turn, or takes the place of what runs. Send an `id` of your own, and a repeat is the same message. Its task can be read at once, and is `queued` until its turn.',
        params: IdParams,
        body: MessageRequest,
        response: {
          202: json('What becomes of it', MessageReceipt, location('the task')),
          ...problems(404, 409, ...bodyProblems),
        },
      },
      handler: async ({ scope, params, body }, reply) => {
        const conversation = await conversationRows.get(scope, params.id);
        if (!conversation) throw noConversation(params.id);
        checkInput(agents, { agent: conversation.agent, input: { text: body.text } });
        const receipt = await messages.submit(scope, params.id, { ...body, id: body.id ?? newId() });
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
        summary: 'Read messages and answers',
        description: 'The newest page when neither `after` nor `before` is given.',
        params: IdParams,
        querystring: MessageListQuery,
        response: { 200: json('One page, in order', MessageList), ...problems(404, 422) },
      },
      handler: async ({ scope, params: { id }, query }, reply) => {
        if (!(await conversationRows.get(scope, id))) throw noConversation(id);
        return reply.send(await conversationRows.listMessages(scope, id, query));
      },
    });
  };

const busy = (taskId: string | null) =>
  new AlfredError(
    'conversation_busy',
    `The task ${taskId} was running in this conversation when the message came, and it was to be rejected then. To say it again use another id.`,
    { taskId: taskId ?? undefined },
  );
