import type { SignIn } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';

/** A person of the tenant `local` who has signed in. */
export const person = (subject: string, rights: Partial<Principal> = {}): Principal => ({
  tenant: 'local',
  subject,
  kind: 'person',
  roles: [],
  groups: [],
  scopes: [],
  via: 'oidc',
  ...rights,
});

export const signedIn = (subject: string, rights: Partial<Principal> = {}): SignIn => ({
  principal: person(subject, rights),
});
