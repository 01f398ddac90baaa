import { z } from 'zod';
import { ClaimName, Issuers, oidcProviders, TenantName } from '../identity-settings.ts';
import { isSessionKey } from '../session-key-text.ts';
import { commaSeparated } from '../settings-schemas.ts';
import { flag, origin } from './values.ts';

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
  OIDC_CLI_CLIENT_ID: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'expected the id of a client as the identity provider shows it')
    .optional()
    .describe(
      'client of the identity provider by which `alfred login` signs in, with the device flow on; at the first issuer of OIDC_ISSUER; default: people name it with --client-id',
    ),
  OIDC_CLIENT_ID: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'expected the id of a client as the identity provider shows it')
    .optional()
    .describe(
      'client of the identity provider by which people sign in with a browser, at the first issuer of OIDC_ISSUER; default: no sign-in by browser',
    ),
  OIDC_CLIENT_SECRET: z
    .string()
    .optional()
    .describe('secret of that client; default: a client without one, which has PKCE alone'),
  OIDC_CLIENT_SECRET_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('file with the same; read for each request to the provider, so that it can be rotated without a restart'),
  ALFRED_PUBLIC_URL: origin
    .optional()
    .describe(
      'address of the API in browsers; its /auth/callback is the redirect address of OIDC_CLIENT_ID; default: http://127.0.0.1 and ALFRED_API_PORT',
    ),
  ALFRED_SESSION_KEY: commaSeparated(
    z.string().refine(isSessionKey, 'expected 32 random bytes or more: openssl rand -base64 32'),
  )
    .default([])
    .describe(
      'encrypts the tokens of browser sessions: openssl rand -base64 32; several are separated by commas: the first encrypts, all decrypt',
    ),
  ALFRED_SESSION_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('file with the same, a key a line; read when the API starts'),
  OIDC_TENANT: TenantName.optional().describe('tenant of all who sign in; default: what OIDC_TENANT_CLAIM names'),
  OIDC_TENANT_CLAIM: ClaimName.optional().describe(
    'claim with the tenant: its name, a path with dots or a JSON pointer; default: tid (entra), org_id (auth0), hd (google)',
  ),
  OIDC_TENANTS: commaSeparated(TenantName)
    .default([])
    .describe(
      'what the claim with the tenant may say, also when OIDC_TENANT is set; needed for google: the Workspace domains; several are separated by commas; default: anything',
    ),
  ALFRED_ONLY_LISTED_TENANTS: flag
    .default(false)
    .describe('true: refuse the tokens of tenants that `alfred tenants add` has not added'),
  OIDC_ROLES_CLAIM: ClaimName.optional().describe(
    'claim with the roles; default: roles, realm_access.roles (keycloak), permissions (auth0), none (okta, google)',
  ),
  OIDC_GROUPS_CLAIM: ClaimName.optional().describe(
    'claim with the groups whose documents may be read; default: groups, none (auth0, google)',
  ),
} as const;
