import type { FastifyRequest } from 'fastify';
import { AlfredError } from '../../contract/errors.ts';
import type { SignIn } from '../../contract/ports/index.ts';
import { localPrincipal, type Principal } from '../../contract/principal.ts';
import type { Reach } from '../../contract/references.ts';
import { everyRole } from '../../contract/roles.ts';
import { whyNoKeys } from '../../contract/rules/key-rights.ts';
import { ruleOf } from '../../contract/rules/operations.ts';
import { decideAtDoor, neededRoles, reachOf, type Action, type Resource } from '../../contract/rules/policy.ts';
import { missingScope } from '../../contract/rules/scopes.ts';
import { refuseForgery } from './forgery.ts';
import type { ApiDeps } from '../deps.ts';
import { addressOf } from './client-address.ts';

/**
 * Finds out who sends a request. A sign-in that names no tenant or no subject would let the request in as no person at
 * all, so it is refused. A role named `*` of an identity provider is a name like any other there; here it would stand
 * for every role, so it is left out.
 *
 * @param identify undefined: every request comes from the user of this machine
 * @throws AlfredError `unauthenticated`, `forbidden_host` for a page of another site, and what `identify` throws
 */
export async function identityOf(
  { headers, method, raw, ip }: Pick<FastifyRequest, 'headers' | 'method' | 'raw' | 'ip'>,
  identify: ApiDeps['identify'],
): Promise<SignIn> {
  if (!identify) return { principal: localPrincipal };
  const signIn = await identify(headers, raw.rawHeaders, addressOf({ raw, ip }));
  if (!signIn?.principal.tenant || !signIn.principal.subject) throw new AlfredError('unauthenticated');
  const { principal } = signIn;
  if (principal.via === 'session') refuseForgery({ headers, method });
  if (principal.via === 'local' || !principal.roles.includes(everyRole)) return signIn;
  return { ...signIn, principal: { ...principal, roles: principal.roles.filter((role) => role !== everyRole) } };
}

/**
 * Refuses what the scopes of a credential leave out, and what the policy does not allow to the roles of the sender.
 *
 * @throws AlfredError `insufficient_scope`, `role_missing`, `keys_forbidden`
 */
export function checkRights(request: FastifyRequest): void {
  checkScopes(request);
  checkPolicy(request);
}

/** @throws AlfredError `insufficient_scope` */
function checkScopes({ scope, method, routeOptions }: FastifyRequest): void {
  const { tags: [area] = [], operationId } = routeOptions.schema ?? {};
  // An address that does not exist has no area; it is answered with 404.
  if (area === undefined) return;
  const missing = missingScope(scope.scopes, { area, operationId, method });
  if (missing !== undefined) throw new AlfredError('insufficient_scope', `This needs the scope ${missing}.`);
}

/**
 * Refuses what no line of the policy allows to the roles of the sender, in any relation. How the sender stands to the
 * thing is asked at the data.
 *
 * @throws AlfredError `role_missing`, `keys_forbidden`
 */
function checkPolicy({ scope, routeOptions }: FastifyRequest): void {
  const { operationId } = routeOptions.schema ?? {};
  if (operationId === undefined) return;
  const { action, resource } = ruleOf(operationId);
  if (decideAtDoor(scope, action, resource).allowed) return;
  if (resource === 'key') throw new AlfredError('keys_forbidden', whyNoKeys(scope));
  throw roleMissing(action, resource);
}

export const roleMissing = (action: Action, resource: Resource) =>
  new AlfredError(
    'role_missing',
    `Your roles do not allow the action "${action}" on the kind "${resource}": it needs ${neededRoles(action, resource)}. GET /v1/me shows your roles.`,
  );

/**
 * Whose things a list is to have.
 *
 * @param of as it was asked for; default: the sender's own
 * @throws AlfredError `role_missing` when the roles do not reach that far
 */
export function reachOfList(principal: Principal, of: 'own' | 'tenant' | undefined, resource: Resource): Reach {
  const reach = reachOf(principal, 'see', resource);
  if (of !== 'tenant') return { tenant: reach.tenant, subject: reach.subject };
  if (reach.of !== 'tenant')
    throw new AlfredError(
      'role_missing',
      `Your roles do not allow you to see what others have of the kind "${resource}": it needs ${neededRoles('see', resource, 'tenant')}. GET /v1/me shows your roles.`,
    );
  return reach;
}
