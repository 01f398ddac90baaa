import { ConversationEvent, ConversationEventPage } from '../../contract/conversation.ts';
import type { ApiDeps } from '../deps.ts';
import { addEventRoutes } from '../http/event-route.ts';
import type { Api } from '../http/fastify.ts';
import type { OpenStream } from '../http/open-stream.ts';
import { ConversationParams } from '../http/responses.ts';
import { eventsForReader } from '../read-shared.ts';
import { findReadableConversation } from './conversations.ts';

type Deps = Pick<ApiDeps, 'citations' | 'conversationRows' | 'conversationEvents' | 'shares'> & {
  openStream: OpenStream;
};

export const conversationEventRoutes =
  ({ citations, conversationRows, conversationEvents, shares, openStream }: Deps) =>
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
      forReader: (reader, stored) => eventsForReader({ citations }, reader, stored),
      async find(scope, id) {
        const { row, owner } = await findReadableConversation({ conversationRows, shares }, scope, id);
        return { id: row.id, owner, lastSeq: row.lastSeq, isEnded: false };
      },
      isStillShared: async (scope, id) => (await shares.findOwner(scope, { conversationId: id })) !== undefined,
    });
