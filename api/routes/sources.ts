import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import {
  isAllowedPrefix,
  Source,
  SourceChange,
  SourceDeleteQuery,
  SourceList,
  SourceListQuery,
  SourceRequest,
} from '../../contract/sources.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { sourcePath, type Views } from '../links.ts';
import { bodyProblems, IdempotencyHeaders, IdParams, json, location, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'config' | 'control' | 'sources'> & { views: Views };

export const sourceRoutes =
  ({ config, control, sources, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/sources',
      schema: {
        operationId: 'createSource',
        tags: ['documents'],
        summary: 'Have documents read from somewhere, now and again and again',
        description:
          'Pages are asked for politely and within robots.txt; only what has changed is read again, and what has gone is removed. Follow the source to see how far its sync is. After a 503 repeat the request with the same `Idempotency-Key`.',
        headers: IdempotencyHeaders,
        body: SourceRequest,
        response: {
          201: json('Its first sync begins', Source, location('the source')),
          ...problems(409, ...bodyProblems),
        },
      },
      handler: async ({ scope, body, headers }, reply) => {
        if (body.kind === 's3' && !isAllowedPrefix(config.ALFRED_S3_PREFIXES, body.address))
          throw new AlfredError(
            'source_unconfigured',
            'Sources may not read this bucket. Who runs Alfred names what they may in ALFRED_S3_PREFIXES.',
          );
        const row = await control.sources.create(scope, body, { idempotencyKey: headers['idempotency-key'] });
        return reply.code(201).header('location', sourcePath(row.id)).send(views.source(row));
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/sources',
      schema: {
        operationId: 'listSources',
        tags: ['documents'],
        summary: 'List sources, newest first',
        querystring: SourceListQuery,
        response: { 200: json('One page', SourceList), ...problems(422) },
      },
      handler: async ({ scope, query }, reply) => {
        const page = await sources.list(scope, query);
        return reply.send({ sources: page.sources.map(views.source), nextCursor: page.nextCursor });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/sources/:id',
      schema: {
        operationId: 'getSource',
        tags: ['documents'],
        summary: 'Read a source: how its last sync stands, and what could not be read',
        params: IdParams,
        response: { 200: json('The source as it stands', Source), ...problems(404) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const row = await control.sources.read(scope, id);
        if (!row) throw noSource(id);
        return reply.send(views.source(row));
      },
    });

    app.route({
      method: 'PATCH',
      url: '/v1/sources/:id',
      schema: {
        operationId: 'changeSource',
        tags: ['documents'],
        summary: 'Change when a source is read, and where its documents go and who may read them',
        description:
          'What is left out stays. Readers and tags hold for the documents that it brought when the answer comes; they move to another collection, or follow with the next sync where one of their name is there.',
        params: IdParams,
        body: SourceChange,
        response: { 200: json('The changed source', Source), ...problems(404, 409, ...bodyProblems) },
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
        params: IdParams,
        response: { 202: json('A sync is under way', Source), ...problems(400, 404, 413, 415) },
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
        params: IdParams,
        querystring: SourceDeleteQuery,
        response: { 204: z.null().describe('Removed'), ...problems(400, 404, 413, 415, 422) },
      },
      handler: async ({ scope, params: { id }, query }, reply) => {
        if (!(await control.sources.delete(scope, id, query.documents))) throw noSource(id);
        return reply.code(204).send(null);
      },
    });
  };

const noSource = (id: string) => new AlfredError('not_found', `There is no source ${id}.`);
