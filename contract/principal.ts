import type { Scope } from './references.ts';
import { everyRole } from './roles.ts';

/**
 * The person or service that makes a request, as its verified credential describes it. What Alfred does for the
 * request, it does with these rights.
 */
export type Principal = Scope & {
  kind: 'person' | 'service';
  /** What the principal may do, by name: see `contract/roles.ts`. */
  roles: readonly string[];
  /** The groups whose documents the principal may read. */
  groups: readonly string[];
  /** Limits a credential to a part of what its roles allow. Empty: no limit. */
  scopes: readonly string[];
  /** How the principal proved who it is. */
  via: 'local' | 'oidc' | 'session' | 'api_key' | 'slack';
};

/** Who asked for something: the whole principal at a door, at least the owner elsewhere. */
export type Requester = Scope & Partial<Principal>;

/**
 * What a row keeps of the principal that asked for it, beside tenant and subject. Groups are left out: what may be read
 * depends on the groups of the moment, not on those of the request.
 */
export type KeptPrincipal = Pick<Principal, 'kind' | 'roles' | 'scopes' | 'via'>;

/** @returns undefined when only the owner is known */
export const keptPrincipalOf = ({ kind, roles, scopes, via }: Requester): KeptPrincipal | undefined =>
  kind && roles && scopes && via && { kind, roles, scopes, via };

/** The user of this machine, who has every role. */
export const localPrincipal: Principal = {
  tenant: 'local',
  subject: 'local',
  kind: 'person',
  roles: [everyRole],
  groups: [],
  scopes: [],
  via: 'local',
};
