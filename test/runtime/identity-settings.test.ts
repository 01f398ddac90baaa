import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { browserSettingsOf, type BrowserSettings } from '../../runtime/browser-settings.ts';
import { deviceSignInsOf, tokenParameters } from '../../runtime/device-sign-in.ts';
import { loadConfig } from '../../runtime/config.ts';

test('each provider learns in its own way for whom tokens are', () => {
  const scope = 'openid offline_access';
  const of = (provider: 'keycloak' | 'entra' | 'auth0' | 'generic' | 'okta', audience: string) =>
    tokenParameters({ provider, audience: [audience] });
  expect(of('keycloak', 'alfred-api')).toEqual({ scope });
  expect(of('okta', 'api://alfred')).toEqual({ scope });
  expect(of('entra', 'api://alfred')).toEqual({ scope: `${scope} profile api://alfred/.default` });
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

test('sign-in by a browser needs a key, an issuer, and its own address among the hosts', () => {
  const environment = {
    DATABASE_URL: 'postgres://127.0.0.1/alfred',
    OIDC_ISSUER: 'https://id.example.com',
    OIDC_AUDIENCE: 'alfred-api',
    OIDC_TENANT: 'acme',
    OIDC_CLIENT_ID: 'alfred-console',
    OIDC_CLIENT_SECRET: 'secret-of-the-console',
    ALFRED_SESSION_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString('base64'),
    ALFRED_PUBLIC_URL: 'https://alfred.example.com/',
    ALFRED_API_HOSTS: 'alfred.example.com',
  };
  const load = (changes: Record<string, string | undefined>) => {
    try {
      return browserSettingsOf(loadConfig({ ...environment, ...changes }));
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(load({})).toMatchObject({ publicUrl: 'https://alfred.example.com', clientId: 'alfred-console' });
  expect(load({ OIDC_CLIENT_ID: undefined, OIDC_CLIENT_SECRET: undefined })).toBeUndefined();
  expect(load({ ALFRED_PUBLIC_URL: undefined })).toMatchObject({ publicUrl: 'http://127.0.0.1:8080' });
  expect(load({ OIDC_CLIENT_ID: undefined })).toMatch(/OIDC_CLIENT_SECRET.*expected together with OIDC_CLIENT_ID/);
  expect(load({ ALFRED_SESSION_KEY: undefined })).toMatch(
    /ALFRED_SESSION_KEY is not set: is needed with OIDC_CLIENT_ID/,
  );
  for (const key of ['short', 'a'.repeat(43)])
    expect(load({ ALFRED_SESSION_KEY: key })).toMatch(/ALFRED_SESSION_KEY is wrong/);
  expect(load({ ALFRED_API_HOSTS: 'other.example.com' })).toMatch(
    /ALFRED_API_HOSTS.*expected alfred\.example\.com among/,
  );
  // Files are read when a secret is needed: one for each request, the keys once.
  const files = mkdtempSync(join(tmpdir(), 'alfred-secrets-'));
  const [secretFile, keyFile] = [join(files, 'secret'), join(files, 'keys')];
  const inFiles = {
    OIDC_CLIENT_SECRET: undefined,
    OIDC_CLIENT_SECRET_FILE: secretFile,
    ALFRED_SESSION_KEY: undefined,
    ALFRED_SESSION_KEY_FILE: keyFile,
  };
  const settings = load(inFiles) as BrowserSettings;
  expect(() => settings.keys()).toThrow(`ALFRED_SESSION_KEY_FILE cannot be read: ${keyFile} (ENOENT). Write`);
  expect(() => settings.clientSecret?.()).toThrow(/OIDC_CLIENT_SECRET_FILE cannot be read: .* Write the secret/);
  for (const [text, message] of [
    ['short\n', /holds no key for sessions/],
    [`${environment.ALFRED_SESSION_KEY}\nshort`, /holds no key for sessions/],
    ['', /ALFRED_SESSION_KEY_FILE is empty/],
  ] as const) {
    writeFileSync(keyFile, text);
    expect(() => settings.keys()).toThrow(message);
  }
  const second = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 5)).toString('base64');
  writeFileSync(keyFile, `${second}\r\n${environment.ALFRED_SESSION_KEY}\n`);
  expect(settings.keys()).toEqual([second, environment.ALFRED_SESSION_KEY]);
  writeFileSync(keyFile, second);
  expect(settings.keys()).toHaveLength(2);
  for (const secret of ['one', 'with spaces and =']) {
    writeFileSync(secretFile, `${secret}\n`);
    expect(settings.clientSecret?.()).toBe(secret);
  }
  writeFileSync(secretFile, '\n');
  expect(() => settings.clientSecret?.()).toThrow(/OIDC_CLIENT_SECRET_FILE is empty/);
  for (const name of ['OIDC_CLIENT_SECRET', 'ALFRED_SESSION_KEY'] as const)
    expect(load({ ...inFiles, [name]: environment[name] })).toMatch(`expected without ${name}_FILE: set one of them`);

  for (const url of ['http://alfred.example.com', 'https://alfred.example.com/app', 'ftp://127.0.0.1', 'alfred'])
    expect(load({ ALFRED_PUBLIC_URL: url })).toMatch(/ALFRED_PUBLIC_URL is/);
});
