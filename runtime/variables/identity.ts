import { z } from 'zod';
import { ClaimName, Issuers, oidcProviders, TenantName } from '../identity-settings.ts';
import { commaSeparated } from '../settings-schemas.ts';

/** Variables for sign-in. docs/reference/sign-in.md has them by provider. */
export const identity = {
  OIDC_ISSUER: Issuers.optional().describe(
    'identity provider whose access tokens count, as they name it in `iss`, https://host/path; or a JSON list of several; default: no sign-in, and the API binds to loopback only',
  ),
  OIDC_AUDIENCE: commaSeparated(z.string())
    .default([])
    .describe('what tokens for Alfred have in `aud`; several are separated by commas'),
  OIDC_PROVIDER: z
    .enum(oidcProviders)
    .default('generic')
    .describe('whose claims are read: keycloak, entra, okta, auth0, google or generic'),
  OIDC_TENANT: TenantName.optional().describe('tenant of all who sign in; default: what OIDC_TENANT_CLAIM names'),
  OIDC_TENANT_CLAIM: ClaimName.optional().describe(
    'claim with the tenant: its name, a path with dots or a JSON pointer; default: tid (entra), org_id (auth0), hd (google)',
  ),
  OIDC_TENANTS: commaSeparated(TenantName)
    .default([])
    .describe(
      'what the claim with the tenant may say, also when OIDC_TENANT is set; needed for google: the Workspace domains; several are separated by commas; default: anything',
    ),
  OIDC_ROLES_CLAIM: ClaimName.optional().describe(
    'claim with the roles; default: roles, realm_access.roles (keycloak), permissions (auth0), none (okta, google)',
  ),
  OIDC_GROUPS_CLAIM: ClaimName.optional().describe(
    'claim with the groups whose documents may be read; default: groups, none (auth0, google)',
  ),
} as const;
