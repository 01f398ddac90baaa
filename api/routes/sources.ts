import { AlfredError } from '../../contract/errors.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { reachOfList } from '../http/identity.ts';
import { isAllowedPrefix, Source, SourceList, SourceListQuery, SourceRequest } from '../../contract/sources.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { sourcePath, type Views } from '../links.ts';
import { bodyProblems, IdempotencyHeaders, SourceParams, json, location, problems } from '../http/responses.ts';

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
        summary: 'Sync documents from a website, bucket or repository',
        description:
          'Pages are asked for politely and within robots.txt; only what has changed is read again, and what has gone is removed. Follow the source to see how far its sync is. After a 503 repeat the request with the same `Idempotency-Key`.',
        headers: IdempotencyHeaders,
        body: SourceRequest,
        response: {
          201: json('Its first sync begins', Source, location('the source')),
          ...problems('source_exists', 'source_unconfigured', 'idempotency_key_reused', 'tenant_full', ...bodyProblems),
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
        response: { 200: json('One page', SourceList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => {
        const { of, ...filter } = query;
        const page = await sources.list(reachOfList(scope, of, 'source'), filter);
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
        params: SourceParams,
        response: { 200: json('The source as it stands', Source), ...problems('not_found') },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const row = await control.sources.read(reachOf(scope, 'see', 'source'), id);
        if (!row) throw noSource(id);
        return reply.send(views.source(row));
      },
    });
  };

export const noSource = (id: string) => new AlfredError('not_found', `There is no source ${id}.`);
