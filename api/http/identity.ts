import type { FastifyRequest } from 'fastify';
import { AlfredError } from '../../contract/errors.ts';
import type { SignIn } from '../../contract/ports/index.ts';
import { localPrincipal } from '../../contract/principal.ts';
import { everyRole } from '../../contract/roles.ts';
import { missingScope } from '../../contract/rules/scopes.ts';
import type { ApiDeps } from '../deps.ts';
import { addressOf } from './client-address.ts';

/**
 * Finds out who sends a request. A sign-in that names no tenant or no subject would let the request in as no person at
 * all, so it is refused. A role named `*` of an identity provider is a name like any other there; here it would stand
 * for every role, so it is left out.
 *
 * @param identify undefined: every request comes from the user of this machine
 * @throws AlfredError `unauthenticated`, and what `identify` throws
 */
export async function identityOf(
  { headers, raw, ip }: Pick<FastifyRequest, 'headers' | 'raw' | 'ip'>,
  identify: ApiDeps['identify'],
): Promise<SignIn> {
  if (!identify) return { principal: localPrincipal };
  const signIn = await identify(headers, raw.rawHeaders, addressOf({ raw, ip }));
  if (!signIn?.principal.tenant || !signIn.principal.subject) throw new AlfredError('unauthenticated');
  const { principal } = signIn;
  if (principal.via === 'local' || !principal.roles.includes(everyRole)) return signIn;
  return { ...signIn, principal: { ...principal, roles: principal.roles.filter((role) => role !== everyRole) } };
}

/**
 * Refuses what the scopes of a credential leave out.
 *
 * @throws AlfredError `insufficient_scope`
 */
export function checkScopes({ scope, method, routeOptions }: FastifyRequest): void {
  const { tags: [area] = [], operationId } = routeOptions.schema ?? {};
  // An address that does not exist has no area; it is answered with 404.
  if (area === undefined) return;
  const missing = missingScope(scope.scopes, { area, operationId, method });
  if (missing !== undefined) throw new AlfredError('insufficient_scope', `This needs the scope ${missing}.`);
}
