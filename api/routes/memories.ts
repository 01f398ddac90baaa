import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import { Memory, MemoryList, MemoryListQuery, MemoryRequest } from '../../contract/memories.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, IdempotencyHeaders, MemoryParams, json, location, problems } from '../http/responses.ts';

export const memoryRoutes =
  ({ memories }: Pick<ApiDeps, 'memories'>) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/memories',
      schema: {
        operationId: 'createMemory',
        tags: ['memories'],
        summary: 'Have Alfred remember something, for you or for a group of yours',
        headers: IdempotencyHeaders,
        body: MemoryRequest,
        response: {
          201: json('The memory', Memory, location('the memory')),
          ...problems('memory_full', 'idempotency_key_reused', ...bodyProblems),
        },
      },
      handler: async ({ scope, body, headers }, reply) => {
        const idempotencyKey = headers['idempotency-key'];
        const memory = await memories.create(scope, body, { idempotencyKey, from: { via: scope.via } });
        return reply.code(201).header('location', `/v1/memories/${memory.id}`).send(memory);
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/memories',
      schema: {
        operationId: 'listMemories',
        tags: ['memories'],
        summary: 'List what Alfred remembers for you and for your groups, newest first',
        querystring: MemoryListQuery,
        response: { 200: json('One page', MemoryList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => reply.send(await memories.list(scope, query)),
    });

    app.route({
      method: 'GET',
      url: '/v1/memories/:id',
      schema: {
        operationId: 'getMemory',
        tags: ['memories'],
        summary: 'Read a memory',
        params: MemoryParams,
        response: { 200: json('The memory', Memory), ...problems('not_found') },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const memory = await memories.get(scope, id);
        if (!memory) throw noMemory(id);
        return reply.send(memory);
      },
    });

    app.route({
      method: 'DELETE',
      url: '/v1/memories/:id',
      schema: {
        operationId: 'deleteMemory',
        tags: ['memories'],
        summary: 'Have Alfred forget what you asked it to remember',
        params: MemoryParams,
        response: { 204: z.null().describe('Deleted'), ...problems('not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        if (!(await memories.delete(scope, id))) throw noMemory(id);
        return reply.code(204).send(null);
      },
    });
  };

const noMemory = (id: string) => new AlfredError('not_found', `There is no memory ${id} of yours.`);
