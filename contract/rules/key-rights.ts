import type { Principal } from '../principal.ts';
import { hasOneOf } from '../roles.ts';

/** The role that manages what belongs to others of its tenant. */
export const adminRole = 'admin';

/** The most active keys of one creator. */
export const mostActiveKeys = 100;

/**
 * Whether a principal may manage keys at all. A key may not: one that leaked could make others that outlive it.
 *
 * @returns why not; undefined when it may
 */
export const whyNoKeys = ({ via }: Principal): string | undefined =>
  via === 'api_key' ? 'An API key does not manage API keys. Sign in as the person who looks after them.' : undefined;

/** Whether a principal manages the keys of everybody in its tenant, and not only its own. */
export const managesAllKeys = ({ roles }: Principal): boolean => hasOneOf(roles, [adminRole]);

/**
 * Whether a principal may give out a key, new or rotated, that has these rights: they are some of its own.
 *
 * @returns why not; undefined when it may
 */
export function whyNotGiven(principal: Principal, key: Pick<Principal, 'roles' | 'scopes'>): string | undefined {
  const roles = key.roles.filter((role) => !hasOneOf(principal.roles, [role]));
  if (roles.length > 0) return `You cannot give a role that you lack: ${roles.join(', ')}.`;
  const own = principal.scopes;
  if (own.length === 0) return undefined;
  if (key.scopes.length === 0) return 'Your token is limited to some scopes. Name some of them for the key.';
  const scopes = key.scopes.filter((scope) => !own.includes(scope) && !own.includes(scope.replace(/:read$/, ':write')));
  return scopes.length > 0 ? `You cannot give a scope that you lack: ${scopes.join(', ')}.` : undefined;
}
