import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, ConversationParams, problems } from '../http/responses.ts';
import { noConversation } from './conversations.ts';

type Deps = Pick<ApiDeps, 'conversationRows' | 'log' | 'messages'>;

export const deleteConversationRoutes =
  ({ conversationRows, log, messages }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'DELETE',
      url: '/v1/conversations/:id',
      schema: {
        operationId: 'deleteConversation',
        tags: ['conversations'],
        summary: 'Delete a conversation and its content',
        description:
          'It and its tasks are no longer shown. Running work is cancelled, then all content is removed. What it cost stays in `GET /v1/usage`.',
        params: ConversationParams,
        response: { 204: z.null().describe('Deleted'), ...problems('not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const conversation = await conversationRows.markDeleted(scope, id);
        if (!conversation) throw noConversation(id);
        // The conversation is deleted. When Temporal does not answer now, the sweep starts the erasure.
        await messages.wake(conversation).catch((error: unknown) => {
          log.warn({ err: error, conversationId: id }, 'a deleted conversation will be erased later');
        });
        return reply.code(204).send(null);
      },
    });
  };
