import { ConversationEventPage } from '../../contract/conversation.ts';
import type { ApiDeps } from '../deps.ts';
import { addEventRoute } from '../http/event-route.ts';
import type { Api } from '../http/fastify.ts';
import type { OpenStream } from '../http/open-stream.ts';
import { noConversation } from './conversations.ts';

type Deps = Pick<ApiDeps, 'conversationRows' | 'conversationEvents'> & { openStream: OpenStream };

export const conversationEventRoutes =
  ({ conversationRows, conversationEvents, openStream }: Deps) =>
  async (app: Api) =>
    addEventRoute(app, openStream, {
      url: '/v1/conversations/:id/events',
      operationId: 'followConversation',
      tag: 'conversations',
      summary: 'Follow a conversation',
      description:
        'Server-sent events over all its tasks, numbered within the conversation: `id` is the sequence number, `event` the type, `data` the event as in `ConversationEvent`. The stream ends after `conversation.deleted` only.',
      page: ConversationEventPage,
      events: conversationEvents,
      async find(scope, id) {
        const row = await conversationRows.get(scope, id);
        if (!row) throw noConversation(id);
        return { id: row.id, lastSeq: row.lastSeq, isEnded: false };
      },
    });
