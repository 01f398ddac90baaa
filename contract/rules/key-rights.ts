import type { Principal } from '../principal.ts';
import { hasOneOf } from '../roles.ts';

/** The role that manages what belongs to others of its tenant. */
export const adminRole = 'admin';

/**
 * Whether a principal may manage keys at all. A key may not: one that leaked could make others that outlive it.
 *
 * @returns why not; undefined when it may
 */
export const whyNoKeys = ({ via }: Principal): string | undefined =>
  via === 'api_key' ? 'An API key does not manage API keys. Sign in as the person who looks after them.' : undefined;

/** Whether a principal manages the keys of everybody in its tenant, and not only its own. */
export const managesAllKeys = ({ roles }: Principal): boolean => hasOneOf(roles, [adminRole]);

/** The wanted roles that a principal lacks, and so cannot give to a key. */
export const rolesNotOwned = ({ roles }: Principal, wanted: readonly string[]): string[] =>
  wanted.filter((role) => !hasOneOf(roles, [role]));
