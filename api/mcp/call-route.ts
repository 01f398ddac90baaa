import type { FastifyRequest } from 'fastify';
import { isRecord } from '../../contract/json.ts';
import type { Api } from '../http/fastify.ts';

type RouteRequest = {
  method: 'GET' | 'POST';
  url: string;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
};

/** The answer of a route: its body, which is a problem document when `ok` is false. */
export type RouteAnswer = { ok: boolean; body: Record<string, unknown> };
export type CallRoute = (request: RouteRequest) => Promise<RouteAnswer>;

/** Headers that belong to the one message that they came with. */
const ownHeaders =
  /^(accept|accept-encoding|connection|content-.*|expect|idempotency-key|if-.*|keep-alive|last-event-id|mcp-.*|prefer|te|trailer|transfer-encoding|upgrade)$/;

/**
 * Calls a route of this API in the name of who sends `request`. The call goes through the same door as a request over
 * the network: identity, rights, limits, audit.
 */
export function createCallRoute(app: Api, request: FastifyRequest): CallRoute {
  const sender = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !ownHeaders.test(name)));
  return async ({ method, url, body, headers = {} }) => {
    const response = await app.inject({
      method,
      url,
      headers: { ...sender, 'x-request-id': request.id, accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { payload: body }),
      ...(request.raw.socket.remoteAddress === undefined ? {} : { remoteAddress: request.raw.socket.remoteAddress }),
    });
    const parsed = response.json<unknown>();
    return { ok: response.statusCode < 400, body: isRecord(parsed) ? parsed : {} };
  };
}
