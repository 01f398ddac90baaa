import type { FastifyRequest } from 'fastify';
import { AlfredError, InvalidRequest } from '../../contract/errors.ts';
import { unsupportedMedia } from './problems.ts';

/**
 * Refuses the JSON text `null` as a body, because every body is an object, and fields in the body of a route that takes
 * none, as other routes refuse fields that they do not know. No body and `{}` are accepted there.
 *
 * @throws InvalidRequest
 */
export function refuseUnexpectedBody({ body, headers, routeOptions }: FastifyRequest): void {
  const { schema } = routeOptions;
  const type = headers['content-type'] ?? '';
  if (schema && type.startsWith('multipart/form-data') && schema.bodies?.['multipart/form-data'] === undefined)
    throw new AlfredError('unsupported_media_type', unsupportedMedia({ headers, routeOptions }));
  // A request without a body has none, or `null` and no type.
  if (body === null && /json/i.test(type))
    throw new InvalidRequest([{ path: '', message: 'expected an object, received null' }]);
  if (!schema || schema.body !== undefined || schema.bodies !== undefined) return;
  if (body === undefined || body === null) return;
  const keys = typeof body === 'object' && !Array.isArray(body) ? Object.keys(body) : undefined;
  if (keys?.length === 0) return;
  const problem = keys ? `unknown: ${keys.slice(0, 5).join(', ')}` : 'expected no body';
  throw new InvalidRequest([{ path: '', message: `${problem}; this request takes no fields` }]);
}
