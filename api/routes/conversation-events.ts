import { ConversationEvent, ConversationEventPage } from '../../contract/conversation.ts';
import type { ApiDeps } from '../deps.ts';
import { addEventRoutes } from '../http/event-route.ts';
import type { Api } from '../http/fastify.ts';
import type { OpenStream } from '../http/open-stream.ts';
import { ConversationParams } from '../http/responses.ts';
import { noConversation } from './conversations.ts';

type Deps = Pick<ApiDeps, 'conversationRows' | 'conversationEvents'> & { openStream: OpenStream };

export const conversationEventRoutes =
  ({ conversationRows, conversationEvents, openStream }: Deps) =>
  async (app: Api) =>
    addEventRoutes(app, openStream, {
      url: '/v1/conversations/:id/events',
      operationIds: { follow: 'followConversation', list: 'listConversationEvents' },
      tag: 'conversations',
      of: 'a conversation',
      description:
        'Its own events and those of all its tasks, numbered within the conversation. The stream ends after `conversation.deleted` only.',
      params: ConversationParams,
      event: ConversationEvent,
      page: ConversationEventPage,
      events: conversationEvents,
      async find(scope, id) {
        const row = await conversationRows.get(scope, id);
        if (!row) throw noConversation(id);
        return { id: row.id, lastSeq: row.lastSeq, isEnded: false };
      },
    });
