import { z } from 'zod';
import { reachOf } from '../../contract/rules/policy.ts';
import { Source, SourceChange, SourceDeleteQuery } from '../../contract/sources.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, SourceParams, json, problems } from '../http/responses.ts';
import type { Views } from '../links.ts';
import { noSource } from './sources.ts';

type Deps = Pick<ApiDeps, 'control'> & { views: Views };

export const controlSourceRoutes =
  ({ control, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'PATCH',
      url: '/v1/sources/:id',
      schema: {
        operationId: 'changeSource',
        tags: ['documents'],
        summary: 'Change when a source is read, and where its documents go and who may read them',
        description:
          'What is left out stays. Readers and tags hold for the documents that it brought when the answer comes; they move to another collection, or follow with the next sync where one of their name is there.',
        params: SourceParams,
        body: SourceChange,
        response: {
          200: json('The changed source', Source),
          ...problems('not_found', 'source_exists', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id }, body }, reply) => {
        const row = await control.sources.change(scope, id, body);
        if (!row) throw noSource(id);
        return reply.send(views.source(row));
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/sources/:id/sync',
      schema: {
        operationId: 'syncSource',
        tags: ['documents'],
        summary: 'Read a source again now; while a sync is under way nothing changes',
        params: SourceParams,
        response: {
          202: json('A sync is under way', Source),
          ...problems('not_found', 'tenant_full', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const row = await control.sources.sync(scope, id);
        if (!row) throw noSource(id);
        return reply.code(202).send(views.source(row));
      },
    });

    app.route({
      method: 'DELETE',
      url: '/v1/sources/:id',
      schema: {
        operationId: 'deleteSource',
        tags: ['documents'],
        summary: 'Remove a source; the documents that it brought are removed in the background, or kept',
        params: SourceParams,
        querystring: SourceDeleteQuery,
        response: { 204: z.null().describe('Removed'), ...problems('not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params: { id }, query }, reply) => {
        if (!(await control.sources.delete(reachOf(scope, 'delete', 'source'), id, query.documents)))
          throw noSource(id);
        return reply.code(204).send(null);
      },
    });
  };
