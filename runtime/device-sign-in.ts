import type { DeviceSignIn } from '../contract/sign-in-metadata.ts';
import { issuersOf, type IssuerSettings } from './identity-settings.ts';

type OidcConfig = Parameters<typeof issuersOf>[0] & { OIDC_CLI_CLIENT_ID?: string | undefined };

/** How `alfred login` signs people in: at the issuer of OIDC_CLI_CLIENT_ID, the first one. */
export function deviceSignInsOf(config: OidcConfig): DeviceSignIn[] {
  const [first] = issuersOf(config);
  if (first === undefined || config.OIDC_CLI_CLIENT_ID === undefined) return [];
  return [{ issuer: first.issuer, client_id: config.OIDC_CLI_CLIENT_ID, parameters: tokenParameters(first) }];
}

/**
 * What a request for tokens says beside the client, so that the provider makes them for Alfred and gives a refresh
 * token. Keycloak, Okta and Google know the audience from the client. Auth0 has a parameter of its own, Entra ID takes
 * it as a scope, and documents that the claims which name a person and a tenant come with `profile`. Others follow
 * RFC 8707, which allows addresses only.
 */
export function tokenParameters({
  provider,
  audience: [audience = ''],
}: Pick<IssuerSettings, 'provider' | 'audience'>): Record<string, string> {
  const scope = 'openid offline_access';
  if (provider === 'entra') return { scope: `${scope} profile ${audience}/.default` };
  if (provider === 'auth0') return { scope, audience };
  if (provider === 'generic' && URL.canParse(audience)) return { scope, resource: audience };
  return { scope };
}
