import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../runtime/logger.ts';
import { createLineBudget } from '../../runtime/line-budget.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Api } from './fastify.ts';

/** The caller's `x-request-id` if it can stand in a log line, else a new id. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Routes that machines call every few seconds: they are logged at debug level only. */
const quiet = new Set(['/health', '/healthz', '/metrics']);

/** Refusals of who is not let in, or not at this moment. A stranger can cause them without end. */
const refusals = new Set([401, 403, 429]);

/** The name of an id in the log, by the kind of thing in the address. */
const idNames: Record<string, string> = {
  tasks: 'taskId',
  conversations: 'conversationId',
  approvals: 'approvalId',
  schedules: 'scheduleId',
  documents: 'documentId',
  ingestions: 'ingestionId',
  sources: 'sourceId',
};
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const idInPath = new RegExp(`^/v1/(${Object.keys(idNames).join('|')})/(${uuid})(?=[/?]|$)`, 'i');

/** The id in the address of a thing, under its name. Anything that is no id, and may be content, is left out. */
function idIn(path: unknown): Record<string, string> {
  const [, kind = '', id] = (typeof path === 'string' && idInPath.exec(path)) || [];
  const name = idNames[kind];
  return name !== undefined && id !== undefined ? { [name]: id } : {};
}

/**
 * Logs and measures each request: method, route pattern, status, milliseconds, request id, and the ids of what it was
 * addressed to and of what it made; never a body. Of refused requests it logs a bounded number a minute.
 */
export function observe(app: Api, { log, metrics }: { log: Logger; metrics: Metrics }): void {
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  const lines = createLineBudget();
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    metrics.httpDuration.observe({ method, route, status }, reply.elapsedTime / 1_000);
    if (refusals.has(status)) {
      const { isWithin, leftOut } = lines.take();
      if (leftOut > 0) log.warn({ leftOut }, 'more requests were refused than are logged');
      if (!isWithin) return;
    }
    const ids = { ...(route === 'unknown' ? {} : idIn(request.url)), ...idIn(reply.getHeader('location')) };
    const line = { method, route, status, ms: Math.round(reply.elapsedTime), requestId: request.id, ...ids };
    log[quiet.has(route) ? 'debug' : 'info'](line, 'request');
  });
  app.addHook('onRequestAbort', async (request) => {
    log.debug(
      { method: request.method, route: request.routeOptions.url, requestId: request.id },
      'the caller went away',
    );
  });
}
