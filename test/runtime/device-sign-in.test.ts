import { expect, test } from '@jest/globals';
import { deviceSignInsOf, tokenParameters } from '../../runtime/device-sign-in.ts';
import { loadConfig } from '../../runtime/config.ts';

test('each provider learns in its own way for whom tokens are', () => {
  const scope = 'openid offline_access';
  const of = (provider: 'keycloak' | 'entra' | 'auth0' | 'generic' | 'okta', audience: string) =>
    tokenParameters({ provider, audience: [audience] });
  expect(of('keycloak', 'alfred-api')).toEqual({ scope });
  expect(of('okta', 'api://alfred')).toEqual({ scope });
  expect(of('entra', 'api://alfred')).toEqual({ scope: `${scope} api://alfred/.default` });
  expect(of('auth0', 'https://alfred.example.com')).toEqual({ scope, audience: 'https://alfred.example.com' });
  expect(of('generic', 'https://alfred.example.com')).toEqual({ scope, resource: 'https://alfred.example.com' });
  // A name that is no address is refused as a `resource` (RFC 8707).
  expect(of('generic', 'alfred-api')).toEqual({ scope });
});

test('the client of the command line belongs to the first issuer, and to none without sign-in', () => {
  const issuers = ['https://id.example.com', 'https://partner.example.com'].map((issuer, i) => ({
    issuer,
    tenant: `tenant${i}`,
    ...(i > 0 && { name: 'partner' }),
  }));
  const environment = {
    DATABASE_URL: 'postgres://127.0.0.1/alfred',
    OIDC_ISSUER: JSON.stringify(issuers),
    OIDC_AUDIENCE: 'alfred-api',
  };
  expect(deviceSignInsOf(loadConfig(environment))).toEqual([]);
  expect(deviceSignInsOf(loadConfig({ ...environment, OIDC_CLI_CLIENT_ID: 'alfred-cli' }))).toEqual([
    { issuer: 'https://id.example.com', client_id: 'alfred-cli', parameters: { scope: 'openid offline_access' } },
  ]);
  expect(() => loadConfig({ DATABASE_URL: 'postgres://127.0.0.1/alfred', OIDC_CLI_CLIENT_ID: 'alfred-cli' })).toThrow(
    /OIDC_CLI_CLIENT_ID.*expected together with OIDC_ISSUER/,
  );
});
