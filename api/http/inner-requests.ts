import type { FastifyRequest } from 'fastify';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord, parseJson } from '../../contract/json.ts';
import type { Api } from './fastify.ts';

export type InnerRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Of `pathTo`, where ids of a caller stand in it. */
  url: string;
  headers?: Record<string, string>;
  body?: object;
};

/** `body` is a problem document when `ok` is false. */
export type InnerAnswer = {
  ok: boolean;
  status: number;
  headers: Record<string, unknown>;
  body: Record<string, unknown>;
};

/** What is written as it comes. `close` is for a reader that leaves. */
export type InnerStream = { pieces: AsyncIterable<unknown>; close: (this: void) => void };

export type InnerRequests = ReturnType<typeof createInnerRequests>;

/** Headers that belong to the one message that they came with. */
const ownHeaders =
  /^(a2a-.*|accept|accept-encoding|connection|content-.*|expect|idempotency-key|if-.*|keep-alive|last-event-id|mcp-.*|prefer|te|trailer|transfer-encoding|upgrade)$/;

/**
 * Requests to this API itself, in the name of who sends `request`: a message of MCP or A2A is one of ours in other
 * words. They go through the same door as a request over the network: identity, rights, limits, audit.
 *
 * @throws AlfredError `token_invalid` for two Authorization headers
 */
export function createInnerRequests(app: Api, request: FastifyRequest) {
  refuseTwoCredentials(request);
  const sender = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !ownHeaders.test(name)));
  const optionsOf = ({ method, url, headers = {}, body }: InnerRequest) => ({
    method,
    url,
    headers: { ...sender, 'x-request-id': request.id, accept: 'application/json', ...headers },
    remoteAddress: request.socket.remoteAddress ?? request.ip,
    ...(body === undefined ? {} : { payload: body }),
  });

  return {
    call: async (inner: InnerRequest): Promise<InnerAnswer> => {
      const { statusCode, headers, body } = await app.inject(optionsOf(inner));
      return answerOf(statusCode, headers, body);
    },

    /** Opens a stream of events. @returns the answer when it is none */
    async stream(url: string): Promise<InnerStream | InnerAnswer> {
      const inner = { method: 'GET', url, headers: { accept: 'text/event-stream' } } as const;
      const response = await app.inject({ ...optionsOf(inner), payloadAsStream: true });
      // The end of the stream itself would not reach the route that writes it.
      if (response.statusCode < 400) return { pieces: response.stream(), close: () => response.raw.res.destroy() };
      let body = '';
      for await (const piece of response.stream()) body += String(piece);
      return answerOf(response.statusCode, response.headers, body);
    },
  };
}

function answerOf(status: number, headers: Record<string, unknown>, text: string): InnerAnswer {
  const body = parseJson(text);
  return { ok: status < 400, status, headers, body: isRecord(body) ? body : {} };
}

/** An inner request has one header of a name, so the operations behind it would not see the other one. */
function refuseTwoCredentials({ raw }: FastifyRequest): void {
  const count = raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'authorization').length;
  if (count > 1) throw new AlfredError('token_invalid', 'The request has two Authorization headers. Send one.');
}

/** Names that a URL drops, however they are encoded: the path would lead elsewhere. */
const noNames = new Set(['', '.', '..']);

/**
 * A path with ids that a caller gives: pathTo`/v1/tasks/${id}/events`
 *
 * @throws AlfredError `not_found` for what can be no id
 */
export function pathTo(parts: TemplateStringsArray, ...ids: string[]): string {
  const wrong = ids.find((id) => noNames.has(id));
  if (wrong !== undefined) throw new AlfredError('not_found', `There is nothing with the id "${wrong}".`);
  return String.raw({ raw: parts }, ...ids.map(encodeURIComponent));
}
