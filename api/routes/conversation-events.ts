import { z } from 'zod';
import { ConversationEventPage } from '../../contract/conversation.ts';
import { TaskEventsQuery } from '../../contract/events.ts';
import { negotiate } from '../http/negotiate.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { pageSize, placeOf, ResumeHeaders, type OpenStream } from '../http/open-stream.ts';
import { IdParams, problems } from '../http/responses.ts';
import { noConversation } from './conversations.ts';

type Deps = Pick<ApiDeps, 'conversationRows' | 'conversationEvents'> & { openStream: OpenStream };

export const conversationEventRoutes =
  ({ conversationRows, conversationEvents, openStream }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/conversations/:id/events',
      exposeHeadRoute: false,
      schema: {
        operationId: 'followConversation',
        tags: ['conversations'],
        summary: 'Follow a conversation',
        description:
          'Server-sent events over all its tasks, numbered within the conversation: `id` is the sequence number, `event` the type, `data` the event as in `ConversationEvent`. The stream ends after `conversation.deleted` only. With `Accept: application/json` up to 1000 stored events come back at once; ask again with `after=lastSeq` of the answer.',
        params: IdParams,
        querystring: TaskEventsQuery,
        headers: ResumeHeaders,
        response: {
          200: {
            description: 'The events after the given one',
            content: {
              'text/event-stream': { schema: z.string() },
              'application/json': { schema: ConversationEventPage },
            },
          },
          ...problems(404, 422),
        },
      },
      handler: async ({ scope, params: { id }, query, headers }, reply) => {
        const media = negotiate(headers.accept, ['text/event-stream', 'application/json']);
        const row = await conversationRows.get(scope, id);
        if (!row) throw noConversation(id);
        const after = placeOf(headers, query, row.lastSeq);
        if (media === 'application/json') {
          const events = await conversationEvents.read(scope, id, after, pageSize);
          return reply.type(media).send({ events, lastSeq: events.at(-1)?.seq ?? after });
        }
        return reply.send(openStream(reply, (signal) => conversationEvents.follow(scope, id, after, signal)));
      },
    });
  };
