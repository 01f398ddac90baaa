import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { EndedSession, SignIn } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import type { SessionEnd } from '../../contract/rules/audit-actions.ts';

type ReadOfOther = { type: string; id: string };

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request. What is read or written belongs to this person or service. */
    scope: Principal;
    /** The code of the problem that the request is answered with. */
    problemCode?: string;
    /** What a route has read that belongs to other subjects. The audit log says so. */
    readOfOther?: ReadOfOther | ReadOfOther[];
    /** Browser sessions that the request ended. The audit log says so. */
    ended?: { action: SessionEnd; sessions: EndedSession[] };
    /** How the sender signed in. */
    signIn: SignIn;
  }
  interface FastifyContextConfig {
    /** The configuration variable that raises the route's body limit, if there is one. */
    limitVariable?: string;
  }
  interface FastifySchema {
    /** Bodies by media type, for the API document. The handler checks them itself. */
    bodies?: Record<string, unknown>;
    tags?: readonly string[];
    operationId?: string;
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
