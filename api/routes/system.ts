import { z } from 'zod';
import { Health, Readiness } from '../../contract/health.ts';
import { version } from '../../runtime/version.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { isKnownHost } from '../http/guard.ts';
import { json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'config' | 'readiness' | 'readMetrics' | 'metrics'>;

/** For a page that has reached us under a name of its own: folders and users of the database are the operator's. */
const withoutDetails = ({ status, dependencies }: Readiness): Readiness => ({
  status,
  dependencies: Object.fromEntries(Object.entries(dependencies).map(([name, { status }]) => [name, { status }])),
});

/** For probes and scrapers. They answer also while the process refuses everything else. */
export const systemRoutes =
  ({ config, readiness, readMetrics, metrics }: Deps) =>
  async (app: Api) => {
    const { 403: stranger, 500: broken } = problems();
    const usual = { 403: stranger, 500: broken };

    app.route({
      method: 'GET',
      url: '/health',
      schema: {
        operationId: 'health',
        tags: ['operations'],
        summary: 'Liveness: the process runs',
        response: { 200: json('It runs', Health), ...usual },
      },
      handler: async (_request, reply) => reply.send({ status: 'ok', version, uptime_s: process.uptime() }),
    });

    app.route({
      method: 'GET',
      url: '/healthz',
      schema: {
        operationId: 'readiness',
        tags: ['operations'],
        summary: 'Readiness: every dependency with its state',
        response: {
          200: json('Ready', Readiness),
          503: json('Starting, draining, or a dependency is down', Readiness, {
            'Retry-After': { type: 'integer', required: true, description: 'Seconds to wait before the next look' },
          }),
          ...usual,
        },
      },
      handler: async ({ headers }, reply) => {
        const state = await readiness.read();
        if (state.status !== 'ready') void reply.code(503).header('retry-after', 1);
        const isKnown = config.ALFRED_SKIP_HOST_CHECKS || isKnownHost(headers.host, config.ALFRED_API_HOSTS);
        return reply.send(isKnown ? state : withoutDetails(state));
      },
    });

    app.route({
      method: 'GET',
      url: '/metrics',
      schema: {
        operationId: 'metrics',
        tags: ['operations'],
        summary: 'Prometheus metrics of this process',
        response: {
          200: { description: 'Prometheus text format', content: { 'text/plain': { schema: z.string() } } },
          ...usual,
        },
      },
      handler: async (_request, reply) => reply.type(metrics.registry.contentType).send(await readMetrics()),
    });

    app.route({
      method: 'GET',
      url: '/openapi.json',
      schema: {
        operationId: 'openapi',
        tags: ['operations'],
        summary: 'This document',
        response: { 200: json('OpenAPI 3.1', z.looseObject({ openapi: z.string() })), ...usual },
      },
      handler: async (_request, reply) => reply.type('application/json').send(JSON.stringify(app.swagger())),
    });
  };
