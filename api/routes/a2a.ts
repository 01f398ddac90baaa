import { Readable } from 'node:stream';
import { AgentCard, formatSSEEvent } from '@a2a-js/sdk';
import { A2AError, TaskNotFoundError } from '@a2a-js/sdk/errors';
import {
  JsonRpcTransportHandler,
  ServerCallContext,
  validateVersion,
  type A2ARequestHandler,
} from '@a2a-js/sdk/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { findAgent, type Agents } from '../../agents/index.ts';
import type { AgentDescription } from '../../contract/agents.ts';
import { AlfredError, defaultMessageOf } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { Logger } from '../../runtime/logger.ts';
import { version } from '../../runtime/version.ts';
import { agentCardOf } from '../a2a/agent-card.ts';
import { createApiRequests, RefusedAtDoor, type ApiRequests } from '../a2a/api-requests.ts';
import { createRequestHandler } from '../a2a/request-handler.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { identityOf } from '../http/identity.ts';
import { createInnerRequests } from '../http/inner-requests.ts';
import { originOf } from './sign-in-metadata.ts';

export const agentCardPath = '/.well-known/agent-card.json';
const endpointPath = '/a2a';

const JsonRpc = z.looseObject({ method: z.string().optional() });

type Deps = Pick<ApiDeps, 'agents' | 'config' | 'identify' | 'log'> & {
  draining: AbortSignal;
  /** Takes one of the sender's event streams. @returns frees it */
  takeStream: (scope: Scope) => () => void;
};

/**
 * Alfred as an agent of A2A 1.0, by JSON-RPC. The card says nothing about agents: who signs in reads them on the
 * extended card. The API document leaves both out: A2A describes them.
 */
export const a2aRoutes =
  ({ agents, config, identify, log, draining, takeStream }: Deps) =>
  async (app: Api) => {
    const publicOrigin = config.ALFRED_PUBLIC_URL && new URL(config.ALFRED_PUBLIC_URL).origin;
    const endpointOf = (request: FastifyRequest) => `${publicOrigin ?? originOf(request)}${endpointPath}`;

    app.route({
      method: 'GET',
      url: agentCardPath,
      schema: { hide: true },
      handler: async (request, reply) => {
        const card = AgentCard.toJSON(agentCardOf(endpointOf(request), version));
        return reply.header('cache-control', 'no-store').type('application/json').send(JSON.stringify(card));
      },
    });

    app.route({
      method: 'POST',
      url: endpointPath,
      schema: { hide: true, body: JsonRpc },
      handler: async (request, reply) => {
        const inner = createApiRequests(createInnerRequests(app, request));
        let refused: AlfredError | undefined;
        const toFault = faultsOf(request, log, (error) => (refused = error));
        const url = endpointOf(request);
        const gone = new AbortController();
        const stop = linkAbort([draining, gone.signal]);
        reply.raw.once('close', () => {
          gone.abort();
          stop.release();
        });
        const card = agentCardOf(url, version);
        const handler = createRequestHandler({
          inner,
          card,
          signal: stop.signal,
          // Who sends a message is found out by the requests that it stands for, and here for what is held open.
          takeStream: async () => takeStream((await identityOf(request, identify)).principal),
          extendedCard: async () => agentCardOf(url, version, await usableBy(inner, agents)),
        });
        const answer = await answerTo(request, { card, handler: reporting(handler, toFault), toFault });
        if (refused) throw refused;
        const refusal = inner.refusal();
        if (refusal) return sendRefusal(reply, refusal);
        if (!isStream(answer)) return sendJson(reply, answer);
        return reply
          .type('text/event-stream')
          .header('cache-control', 'no-store')
          .send(Readable.from(frames(answer, toFault)));
      },
    });
  };

type Answer = Awaited<ReturnType<JsonRpcTransportHandler['handle']>>;
type Streamed = Extract<Answer, AsyncGenerator>;
type ToFault = (error: unknown) => unknown;
type Answering = { card: AgentCard; handler: A2ARequestHandler; toFault: ToFault };
const isStream = (answer: Answer): answer is Streamed => Symbol.asyncIterator in answer;

const sendJson = (reply: FastifyReply, answer: Exclude<Answer, Streamed>) =>
  reply.type('application/json').send(JSON.stringify(answer));

/** A refusal for who asks, or how often, is one of HTTP, as at every other address. */
const sendRefusal = (reply: FastifyReply, { status, headers, body }: RefusedAtDoor) =>
  reply.code(status).headers(headers).type('application/problem+json').send(JSON.stringify(body));

/** @returns the answer; of a stream, the first event is there, so that a refusal can still be one of HTTP */
async function answerTo(request: FastifyRequest, { card, handler, toFault }: Answering): Promise<Answer> {
  const body = request.body as Record<string, unknown>;
  const id = typeof body['id'] === 'string' || typeof body['id'] === 'number' ? body['id'] : null;
  const failure = (error: unknown) =>
    ({ jsonrpc: '2.0', id, error: JsonRpcTransportHandler.mapToJSONRPCError(toFault(error)) }) as Exclude<
      Answer,
      Streamed
    >;
  // Without the header a caller speaks 0.3.
  const requestedVersion = String(request.headers['a2a-version'] ?? '0.3');
  try {
    validateVersion(requestedVersion, card, 'JSONRPC');
    const answer = await new JsonRpcTransportHandler(handler).handle(body, new ServerCallContext({ requestedVersion }));
    if (!isStream(answer)) return answer;
    const first = await answer.next();
    return withFirst(first, answer);
  } catch (error) {
    return failure(error);
  }
}

async function* withFirst(first: Awaited<ReturnType<Streamed['next']>>, rest: Streamed): Streamed {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* frames(answer: Streamed, toFault: ToFault): AsyncGenerator<string> {
  try {
    for await (const event of answer) yield formatSSEEvent(event);
  } catch (error) {
    throw toFault(error);
  }
}

/** Keeps the words of a fault on our side in the log: the SDK answers with those of any error. */
const faultsOf =
  ({ id }: FastifyRequest, log: Logger, onRefusal: (error: AlfredError) => void): ToFault =>
  (error) => {
    if (error instanceof A2AError || error instanceof RefusedAtDoor) return error;
    if (error instanceof AlfredError && error.code === 'not_found') return new TaskNotFoundError(error.message);
    if (error instanceof AlfredError) {
      onRefusal(error);
      return new A2AError(error.message);
    }
    log.error({ requestId: id, err: error }, 'a request of A2A failed');
    return new A2AError(defaultMessageOf('internal'));
  };

/** The handler, whose errors the SDK gets as faults: it puts those of a promise into the answer by itself. */
const reporting = (handler: A2ARequestHandler, toFault: ToFault): A2ARequestHandler =>
  new Proxy(handler, {
    get: (target, name: keyof A2ARequestHandler) => {
      const method = Reflect.get(target, name) as (...given: unknown[]) => unknown;
      return (...given: unknown[]) => {
        const outcome = method(...given);
        if (!(outcome instanceof Promise)) return outcome;
        return outcome.catch((error: unknown) => {
          throw toFault(error);
        });
      };
    },
  });

async function usableBy(inner: ApiRequests, agents: Agents): Promise<Agents> {
  const { agents: usable } = await inner.json<{ agents: AgentDescription[] }>({ method: 'GET', url: '/v1/agents' });
  return Object.fromEntries(
    usable.flatMap(({ name }) => {
      const agent = findAgent(agents, name);
      return agent ? [[name, agent] as const] : [];
    }),
  );
}
