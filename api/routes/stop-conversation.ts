import { StopReceipt, StopRequest } from '../../contract/conversation.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { parse } from '../http/problems.ts';
import { bodyProblems, ConversationParams, json, problems } from '../http/responses.ts';

export const stopConversationRoutes =
  ({ messages, tenants }: Pick<ApiDeps, 'messages' | 'tenants'>) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/conversations/:id/stop',
      schema: {
        operationId: 'stopConversation',
        tags: ['conversations'],
        summary: 'Stop what runs in a conversation',
        description: 'The running task is cancelled and what it did is kept. Safe to repeat, and when nothing runs.',
        params: ConversationParams,
        bodies: { 'application/json': StopRequest },
        'x-optional-body': true,
        response: { 200: json('What was stopped', StopReceipt), ...problems('not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params, body }, reply) => {
        const request = parse(StopRequest, body ?? {});
        // To undo is to call tools, which a suspended tenant does not.
        if (request.undo) await tenants.requireActive(scope.tenant);
        return reply.send(await messages.stop(scope, params.id, request));
      },
    });
  };
