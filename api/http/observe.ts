import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Api } from './fastify.ts';

/** The caller's `x-request-id` if it can stand in a log line, else a new id. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Routes that machines call every few seconds: they are logged at debug level only. */
const quiet = new Set(['/health', '/healthz', '/metrics']);

/** Logs and measures each request: method, route pattern, status, milliseconds, request id; never a body. */
export function observe(app: Api, { log, metrics }: { log: Logger; metrics: Metrics }): void {
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    metrics.httpDuration.observe({ method, route, status }, reply.elapsedTime / 1_000);
    const line = { method, route, status, ms: Math.round(reply.elapsedTime), requestId: request.id };
    log[quiet.has(route) ? 'debug' : 'info'](line, 'request');
  });
  app.addHook('onRequestAbort', async (request) => {
    log.debug(
      { method: request.method, route: request.routeOptions.url, requestId: request.id },
      'the caller went away',
    );
  });
}
