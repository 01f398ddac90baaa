import {
  Conversation,
  ConversationChange,
  ConversationList,
  ConversationListQuery,
  ConversationRequest,
} from '../../contract/conversation.ts';
import { findAgent } from '../../agents/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ConversationRow } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { agentSettings } from '../../runtime/agent-settings.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { roleMissing } from '../http/identity.ts';
import { usableAgents } from '../usable-agents.ts';
import { conversationPath, type Views } from '../links.ts';
import { isOther, mayReadShared, readShared, type OwnedRow } from '../read-shared.ts';
import { bodyProblems, IdempotencyHeaders, ConversationParams, json, location, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'agents' | 'config' | 'conversationRows' | 'shares' | 'tenants'> & { views: Views };

export const conversationRoutes =
  ({ agents, config, conversationRows, shares, tenants, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/conversations',
      schema: {
        operationId: 'createConversation',
        tags: ['conversations'],
        summary: 'Create a conversation',
        description: 'It costs nothing while no message waits for an answer.',
        headers: IdempotencyHeaders,
        body: ConversationRequest,
        response: {
          201: json('The conversation', Conversation, location('the conversation')),
          ...problems('unknown_agent', 'idempotency_key_reused', ...bodyProblems),
        },
      },
      handler: async ({ scope, body, headers }, reply) => {
        const agent = await requireUsable({ agents, config, tenants }, scope, body.agent);
        const row = await conversationRows.create(scope, body, {
          idempotencyKey: headers['idempotency-key'],
          onBusy: body.onBusy ?? agentSettings(config, body.agent).onBusy ?? agent.onBusy ?? 'enqueue',
        });
        return reply.code(201).header('location', conversationPath(row.id)).send(views.conversation(row));
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/conversations',
      schema: {
        operationId: 'listConversations',
        tags: ['conversations'],
        summary: 'List conversations, newest first',
        querystring: ConversationListQuery,
        response: { 200: json('One page', ConversationList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => {
        if (query.of === 'shared' && !mayReadShared(scope, 'conversation')) throw roleMissing('read', 'conversation');
        const { conversations, nextCursor } = await conversationRows.list(scope, query);
        return reply.send({ conversations: conversations.map(views.conversation), nextCursor });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/conversations/:id',
      schema: {
        operationId: 'getConversation',
        tags: ['conversations'],
        summary: 'Read a conversation',
        params: ConversationParams,
        response: { 200: json('The conversation as it stands', Conversation), ...problems('not_found') },
      },
      handler: async (request, reply) => {
        const { scope, params } = request;
        const { id } = params;
        const { row, owner } = await findReadableConversation({ conversationRows, shares }, scope, id);
        if (isOther(scope, owner)) request.readOfOther = { type: 'conversation', id };
        return reply.send(views.conversation(row));
      },
    });

    app.route({
      method: 'PATCH',
      url: '/v1/conversations/:id',
      schema: {
        operationId: 'changeConversation',
        tags: ['conversations'],
        summary: 'Rename, archive or take back a conversation, change its agent or what it does while busy',
        params: ConversationParams,
        body: ConversationChange,
        response: {
          200: json('The conversation as it stands', Conversation),
          ...problems('not_found', 'unknown_agent', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id }, body }, reply) => {
        if (body.agent !== undefined) await requireUsable({ agents, config, tenants }, scope, body.agent);
        const row = await conversationRows.change(scope, id, body);
        if (!row) throw noConversation(id);
        return reply.send(views.conversation(row));
      },
    });
  };

/** @throws AlfredError `unknown_agent` when there is no such agent for the principal */
async function requireUsable(deps: Pick<Deps, 'agents' | 'config' | 'tenants'>, principal: Principal, name: string) {
  const usable = await usableAgents(deps, principal);
  const agent = findAgent(usable, name);
  if (agent) return agent;
  throw new AlfredError('unknown_agent', `There is no agent "${name}". There are: ${Object.keys(usable).join(', ')}.`);
}

/**
 * Reads a conversation of the principal's own, or one that is shared with it. Only for requests that read.
 *
 * @throws AlfredError `not_found`
 */
export async function findReadableConversation(
  { conversationRows, shares }: Pick<ApiDeps, 'conversationRows' | 'shares'>,
  principal: Principal,
  id: string,
): Promise<OwnedRow<ConversationRow>> {
  const found = await readShared(shares, principal, { conversationId: id }, (owner) => conversationRows.get(owner, id));
  if (!found) throw noConversation(id);
  return found;
}

export const noConversation = (id: string) => new AlfredError('not_found', `There is no conversation ${id}.`);
