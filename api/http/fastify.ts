import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Identity } from '../../contract/ports/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Everything that is read or written belongs to it. */
    scope: Identity;
  }
  interface FastifyContextConfig {
    /** The variable that raises the route's body limit, when there is one. */
    limitVariable?: string;
  }
  interface FastifySchema {
    /** Several forms of one body, checked by the handler itself; for the API document. */
    bodies?: Record<string, unknown>;
    'x-optional-body'?: boolean;
  }
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>;
