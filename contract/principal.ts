import type { Scope } from './references.ts';

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
  via: 'local' | 'oidc' | 'session' | 'api_key';
};
