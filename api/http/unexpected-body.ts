import type { FastifyRequest } from 'fastify';
import { AlfredError, InvalidRequest } from '../../contract/errors.ts';

/**
 * Refuses fields in the body of a route that takes none, as other routes refuse fields that they do not know. No body
 * and `{}` are accepted.
 *
 * @throws InvalidRequest
 */
export function refuseUnexpectedBody({ body, headers, routeOptions }: FastifyRequest): void {
  const { schema } = routeOptions;
  if (!schema || schema.body !== undefined || schema.bodies !== undefined) return;
  if (headers['content-type']?.startsWith('multipart/form-data')) throw new AlfredError('unsupported_media_type');
  if (body === undefined || body === null) return;
  const keys = typeof body === 'object' && !Array.isArray(body) ? Object.keys(body) : undefined;
  if (keys?.length === 0) return;
  const problem = keys ? `unknown: ${keys.slice(0, 5).join(', ')}` : 'expected no body';
  throw new InvalidRequest([{ path: '', message: `${problem}; this request takes no fields` }]);
}
