import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AlfredError, httpStatusOf, defaultMessageOf, type ErrorCode, InvalidRequest } from '../../contract/errors.ts';
import type { Problem } from '../../contract/problem.ts';
import type { Logger } from '../../runtime/logger.ts';
import { describeUnavailability, isDatabaseUnavailable } from '../../runtime/database/database-errors.ts';
import { createLineBudget } from '../../runtime/line-budget.ts';
import { isTemporalUnavailable } from '../../runtime/temporal.ts';
import { plainMessage } from './plain-messages.ts';
import { issuesOf, SchemaFault } from './validate.ts';

/**
 * Validates a value that Fastify does not validate.
 *
 * @param at where the value stands in the request
 * @throws InvalidRequest
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown, at: string[] = []): z.output<S> {
  const parsed = schema.safeParse(value, { error: plainMessage });
  if (parsed.success) return parsed.data;
  throw new InvalidRequest(issuesOf(parsed.error, at));
}

/** `Retry-After` by code, in seconds. */
const retryAfterS = { temporal_unavailable: 2, database_unavailable: 2, draining: 1 } as const;

export function sendProblem(reply: FastifyReply, error: AlfredError) {
  const { code, message } = error;
  const status = httpStatusOf(code);
  reply.request.problemCode = code;
  const problem: Problem = {
    type: `urn:alfred:problem:${code}`,
    title: defaultMessageOf(code),
    status,
    code,
    detail: message,
    requestId: reply.request.id,
    ...(error instanceof InvalidRequest ? { issues: error.issues } : {}),
    ...(error.taskId === undefined ? {} : { taskId: error.taskId }),
  };
  if (status === 503 || status === 429) {
    const seconds = code in retryAfterS ? retryAfterS[code as keyof typeof retryAfterS] : 2;
    void reply.header(
      'retry-after',
      Math.ceil(error.retryAfterMs === undefined ? seconds : error.retryAfterMs / 1_000),
    );
  }
  const challenge = challengeOf(error);
  if (challenge !== undefined) void reply.header('www-authenticate', challenge);
  return reply.code(status).type('application/problem+json').send(problem);
}

/**
 * What a caller must bring (RFC 6750, section 3). It names no error where there was no credential, and says no more
 * than the code does.
 */
function challengeOf({ code }: AlfredError): string | undefined {
  if (code === 'insufficient_scope') return `Bearer realm="alfred", error="insufficient_scope"`;
  if (httpStatusOf(code) !== 401) return undefined;
  if (code === 'token_missing' || code === 'unauthenticated') return 'Bearer realm="alfred"';
  return `Bearer realm="alfred", error="invalid_token", error_description="${defaultMessageOf(code)}"`;
}

/** Turns every error into a problem document. Unexpected errors are logged whole; the caller gets one sentence. */
export function createErrorHandler(log: Logger) {
  // Strangers can cause this one, by a flood of keys that are not known.
  const identityLines = createLineBudget();
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const known = translate(error, request);
    const { code } = known;
    const about = { requestId: request.id, method: request.method, route: request.routeOptions.url, code };
    if (code === 'internal') log.error({ ...about, err: error }, 'a request failed');
    else if (httpStatusOf(code) === 503 && (code !== 'identity_unavailable' || identityLines.take().isWithin))
      log.warn({ ...about, reason: reasonOf(error) }, 'a request could not be served');
    return sendProblem(reply, known);
  };
}

function translate(error: unknown, request: FastifyRequest): AlfredError {
  if (error instanceof AlfredError) return error;
  if (error instanceof SchemaFault) return invalid(error);
  const { code = '', statusCode, message = '' } = error as Partial<FastifyError>;
  const framework = codes[code];
  if (framework) return new AlfredError(framework, explain(framework, request, message));
  // The caller disconnected while it sent the body.
  if (code === 'ECONNRESET' && request.raw.destroyed && !isDatabaseUnavailable(error))
    return new AlfredError('malformed_request', message);
  if (isDatabaseUnavailable(error)) return new AlfredError('database_unavailable', describeUnavailability(error));
  if (isTemporalUnavailable(error)) return new AlfredError('temporal_unavailable');
  if (statusCode === 400) return new AlfredError('malformed_request', message);
  return new AlfredError('internal');
}

/** Errors of Fastify and its plugins, as our codes. */
const codes: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_REQ_FILE_TOO_LARGE: 'body_too_large',
  FST_PARTS_LIMIT: 'body_too_large',
  FST_FILES_LIMIT: 'body_too_large',
  FST_FIELDS_LIMIT: 'body_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
  FST_PROTO_VIOLATION: 'malformed_request',
  FST_MP_PREMATURE_CLOSE: 'malformed_request',
};

function explain(code: ErrorCode, request: FastifyRequest, message: string): string {
  if (code === 'unsupported_media_type') {
    return unsupportedMedia(request);
  }
  if (code === 'body_too_large') {
    const { bodyLimit = 0, config } = request.routeOptions;
    const raise = config.limitVariable ? ` Send less at once, or raise ${config.limitVariable}.` : '';
    return `${defaultMessageOf(code)} The limit here is ${bodyLimit / 1_000_000} MB.${raise}`;
  }
  return code === 'malformed_request' ? message : defaultMessageOf(code);
}

/** Names the media types that the route takes, and the one that the request has. */
export function unsupportedMedia({ headers, routeOptions }: Pick<FastifyRequest, 'headers' | 'routeOptions'>): string {
  const { bodies } = routeOptions.schema ?? {};
  const taken = bodies ? Object.keys(bodies).join(' or ') : 'application/json';
  return `Send ${taken}. This request says ${headers['content-type'] ?? 'nothing'}.`;
}

const places: Record<string, string[]> = { querystring: ['query'], headers: ['header'] };

function invalid({ issues, validationContext: context = 'body' }: SchemaFault): AlfredError {
  if (context === 'params') return new AlfredError('not_found');
  const place = places[context] ?? [];
  return new InvalidRequest(
    issues.map(({ path, message }) => ({ path: [...place, ...(path ? [path] : [])].join('.'), message })),
  );
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
