import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Identity } from '../../contract/ports/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request. Everything that is read or written belongs to this identity. */
    scope: Identity;
  }
  interface FastifyContextConfig {
    /** The configuration variable that raises the route's body limit, if there is one. */
    limitVariable?: string;
  }
  interface FastifySchema {
    /** Bodies by media type, for the API document. The handler checks them itself. */
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
