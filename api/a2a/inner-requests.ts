import type { FastifyRequest } from 'fastify';
import {
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from '@a2a-js/sdk/errors';
import { AlfredError } from '../../contract/errors.ts';
import type { Api } from '../http/fastify.ts';

/** What a request of the caller is made of, and nothing that Alfred adds. */
const forwarded = [
  'authorization',
  'host',
  'origin',
  'sec-fetch-site',
  'user-agent',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
];

type Method = 'GET' | 'POST';
type Inner = { method: Method; url: string; headers?: Record<string, string>; body?: object };

/** A request that the API refused for who sent it or how often: the answer goes out as it is. */
export class RefusedAtDoor extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;

  constructor(status: number, headers: Record<string, string>, body: string) {
    super('refused at the door');
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** The events of a task as they are written. `close` is for a reader that leaves. */
export type InnerStream = { pieces: AsyncIterable<unknown>; close: (this: void) => void };

export type InnerRequests = ReturnType<typeof createInnerRequests>;

/**
 * Requests to the API itself, in the name of the caller. A message of A2A is a request of ours in other words: sign-in,
 * rights, limits, validation and audit log are those of the operations that it stands for.
 */
export function createInnerRequests(app: Api, request: FastifyRequest) {
  refuseTwoCredentials(request);
  const own = Object.fromEntries(
    forwarded.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    }),
  );
  const optionsOf = ({ method, url, headers = {}, body }: Inner) => ({
    method,
    url,
    headers: { ...own, accept: 'application/json', ...headers },
    remoteAddress: request.socket.remoteAddress ?? request.ip,
    ...(body === undefined ? {} : { payload: body }),
  });

  let refusal: RefusedAtDoor | undefined;
  const refuse = (error: Error): Error => {
    if (error instanceof RefusedAtDoor) refusal = error;
    return error;
  };

  return {
    /** What the door has refused, also when the error was caught. */
    refusal: () => refusal,

    /** @throws A2AError, RefusedAtDoor */
    async json<T>(inner: Inner): Promise<T> {
      const { statusCode, body, headers } = await app.inject(optionsOf(inner));
      if (statusCode >= 400) throw refuse(faultOf(statusCode, headers, body));
      return JSON.parse(body) as T;
    },

    /** Opens a stream of events. @throws A2AError, RefusedAtDoor */
    async stream(url: string): Promise<InnerStream> {
      const headers = { accept: 'text/event-stream' };
      const response = await app.inject({ ...optionsOf({ method: 'GET', url, headers }), payloadAsStream: true });
      // The end of the stream itself would not reach the route that writes it.
      if (response.statusCode < 400) return { pieces: response.stream(), close: () => response.raw.res.destroy() };
      let body = '';
      for await (const piece of response.stream()) body += String(piece);
      throw refuse(faultOf(response.statusCode, response.headers, body));
    },
  };
}

/** An inner request has one header of a name, so the operations behind it would not see the other one. */
function refuseTwoCredentials({ raw }: FastifyRequest): void {
  const count = raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'authorization').length;
  if (count > 1) throw new AlfredError('token_invalid', 'The request has two Authorization headers. Send one.');
}

function faultOf(status: number, headers: Record<string, unknown>, body: string): Error {
  const { detail = 'The request was refused.', code = '' } = problemIn(body);
  if (status === 404) return new TaskNotFoundError(detail);
  if (code === 'task_ended') return new TaskNotCancelableError(detail);
  if (status === 401 || status === 403 || status === 429 || status >= 500) {
    const kept = ['www-authenticate', 'retry-after'].flatMap((name) =>
      typeof headers[name] === 'string' ? [[name, headers[name]] as const] : [],
    );
    return new RefusedAtDoor(status, Object.fromEntries(kept), body);
  }
  return status === 409 ? new UnsupportedOperationError(detail) : new RequestMalformedError(detail);
}

function problemIn(body: string): { detail?: string; code?: string } {
  try {
    return JSON.parse(body) as { detail?: string; code?: string };
  } catch {
    return {};
  }
}
