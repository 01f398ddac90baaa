import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Health, Readiness } from '../../contract/health.ts';
import { AlfredError } from '../../contract/errors.ts';
import { isFromNetworks } from '../../runtime/peer.ts';
import { version } from '../../runtime/version.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { isKnownHost } from '../http/guard.ts';
import { identityOf } from '../http/identity.ts';
import { isFromThisMachine } from '../http/peer.ts';
import { json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'config' | 'readiness' | 'readMetrics' | 'metrics' | 'identify'>;

/** For strangers: folders and users of the database are the operator's. */
const withoutDetails = ({ status, dependencies }: Readiness): Readiness => ({
  status,
  dependencies: Object.fromEntries(Object.entries(dependencies).map(([name, { status }]) => [name, { status }])),
});

/** For probes and scrapers. They answer also while the process refuses everything else. */
export const systemRoutes =
  ({ config, readiness, readMetrics, metrics, identify }: Deps) =>
  async (app: Api) => {
    const { 401: unknown, 403: stranger, 500: broken } = problems();
    const usual = { 403: stranger, 500: broken };
    const hasSignIn = config.OIDC_ISSUER !== undefined;
    const isSignedIn = async (request: FastifyRequest) =>
      request.headers.authorization !== undefined &&
      (await identityOf(request, identify).then(
        () => true,
        () => false,
      ));
    /** A page that has reached us under a name of its own is a stranger too, hence the Host. */
    const maySeeDetails = async (request: FastifyRequest) =>
      (config.ALFRED_SKIP_HOST_CHECKS || isKnownHost(request.headers.host, config.ALFRED_API_HOSTS)) &&
      (!hasSignIn || isFromThisMachine(request) || (await isSignedIn(request)));

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
      handler: async (request, reply) => {
        const state = await readiness.read();
        if (state.status !== 'ready') void reply.code(503).header('retry-after', 1);
        return reply.send((await maySeeDetails(request)) ? state : withoutDetails(state));
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
          401: unknown,
          ...usual,
        },
      },
      handler: async (request, reply) => {
        const isNear = isFromNetworks(request, config.ALFRED_METRICS_NETWORKS);
        if (hasSignIn && !isNear && !(await isSignedIn(request))) throw new AlfredError('token_missing');
        return reply.type(metrics.registry.contentType).send(await readMetrics());
      },
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
