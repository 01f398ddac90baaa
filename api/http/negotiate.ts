import Negotiator from 'negotiator';
import { AlfredError } from '../../contract/errors.ts';

/**
 * Chooses the media type of a response by the Accept header (RFC 9110, 12.5.1). Without one, the first that is offered.
 *
 * @throws AlfredError `not_acceptable` when the header excludes every offered type
 */
export function negotiate<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const chosen = new Negotiator({ headers: { accept } }).mediaType([...offered]);
  if (chosen !== undefined) return chosen as T;
  throw new AlfredError('not_acceptable', `This address answers ${offered.join(' or ')}; Accept is "${accept}".`);
}
