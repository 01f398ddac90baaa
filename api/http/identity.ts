import type { IncomingHttpHeaders } from 'node:http';
import { AlfredError } from '../../contract/errors.ts';
import type { Identity } from '../../contract/ports/index.ts';
import { everyRole } from '../../contract/roles.ts';

/** Without sign-in every request comes from the user of this machine, who has every role. */
const localIdentity: Identity = { tenant: 'local', subject: 'local', roles: [everyRole] };

/**
 * The sender of a request. A sign-in that names no tenant or no subject would let the request in as no person at all,
 * so it is refused. A role named `*` of an identity provider is a name like any other there; here it would stand for
 * every role, so it is left out.
 *
 * @param identify undefined without sign-in
 * @throws AlfredError `unauthenticated`
 */
export function identityOf(
  headers: IncomingHttpHeaders,
  identify: ((headers: IncomingHttpHeaders) => Identity | undefined) | undefined,
): Identity {
  if (!identify) return localIdentity;
  const identity = identify(headers);
  if (!identity?.tenant || !identity.subject) throw new AlfredError('unauthenticated');
  return { ...identity, roles: identity.roles.filter((role) => role !== everyRole) };
}
