import type { Principal } from '../principal.ts';
import { agentRole, hasOneOf } from '../roles.ts';

/** The most active keys of one creator. */
export const mostActiveKeys = 100;

/** Why a principal manages no keys, when the policy says so. */
export const whyNoKeys = ({ via }: Principal): string =>
  via === 'api_key'
    ? 'An API key does not manage API keys. Sign in as the person who looks after them.'
    : 'Your roles do not allow you to manage API keys.';

/**
 * Whether a principal may give out a key, new or rotated, that has these rights: they are some of its own. Anybody may
 * give the role `agent`, which takes rights away; who has it gives no key without it.
 *
 * @returns why not; undefined when it may
 */
export function whyNotGiven(principal: Principal, key: Pick<Principal, 'roles' | 'scopes'>): string | undefined {
  const roles = key.roles.filter((role) => role !== agentRole && !hasOneOf(principal.roles, [role]));
  if (roles.length > 0) return `You cannot give a role that you lack: ${roles.join(', ')}.`;
  if (principal.roles.includes(agentRole) && !key.roles.includes(agentRole))
    return `You have the role ${agentRole}, which limits you. Give it to the key too.`;
  const own = principal.scopes;
  if (own.length === 0) return undefined;
  if (key.scopes.length === 0) return 'Your token is limited to some scopes. Name some of them for the key.';
  const scopes = key.scopes.filter((scope) => !own.includes(scope) && !own.includes(scope.replace(/:read$/, ':write')));
  return scopes.length > 0 ? `You cannot give a scope that you lack: ${scopes.join(', ')}.` : undefined;
}
