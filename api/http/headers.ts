import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../deps.ts';

/** Answers are data: a browser that shows one loads nothing, runs nothing and shows it in no frame. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Loads nothing from other sites and allows no frame around it. Swagger UI writes inline styles. */
const docsPolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Headers of each answer but the pages of the reference. */
export const dataHeaders = {
  'content-security-policy': dataPolicy,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // With `no-referrer` browsers send `Origin: null` with a form of our own page, like that for the end of a session.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

const { 'cache-control': _, ...withoutCaching } = dataHeaders;
const docsHeaders = { ...withoutCaching, 'content-security-policy': docsPolicy };

const isDocs = (url: string) => /^\/docs([/?#]|$)/.test(url);

/** Sets the security headers of an answer. */
export function secure(request: FastifyRequest, reply: FastifyReply, hstsS: number): void {
  void reply.headers(isDocs(request.url) ? docsHeaders : dataHeaders);
  if (hstsS > 0 && request.protocol === 'https') void reply.header('strict-transport-security', `max-age=${hstsS}`);
}

const allowedHeaders = 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-Request-ID';
const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const exposedHeaders =
  'Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID';
const preflightS = 600;

/**
 * Lets pages of the listed origins read answers. Credentials are not allowed: such a page sends a token in
 * `Authorization`, and no cookie of the browser goes with it.
 *
 * @returns whether the request only asks whether another may be made
 */
export function share(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  origins: ApiDeps['config']['ALFRED_CORS_ORIGINS'],
): boolean {
  if (origins.length === 0) return false;
  void reply.header('vary', 'Origin');
  const { origin } = headers;
  if (origin === undefined || !origins.includes(origin)) return false;
  void reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': exposedHeaders });
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
  void reply.headers({
    'access-control-allow-methods': allowedMethods,
    'access-control-allow-headers': allowedHeaders,
    'access-control-max-age': preflightS,
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  });
  return true;
}
