import { tokenParameters } from './device-sign-in.ts';
import { issuersOf } from './identity-settings.ts';
import { readSecretFile } from './secret-file.ts';
import { sessionKeysIn } from './session-key-text.ts';

/** The variables as they are parsed. */
type BrowserVariables = Parameters<typeof issuersOf>[0] & {
  OIDC_CLIENT_ID?: string | undefined;
  OIDC_CLIENT_SECRET?: string | undefined;
  OIDC_CLIENT_SECRET_FILE?: string | undefined;
  ALFRED_PUBLIC_URL?: string | undefined;
  ALFRED_SESSION_KEY: string[];
  ALFRED_SESSION_KEY_FILE?: string | undefined;
  ALFRED_API_PORT: number;
};

/** How people sign in with a browser. */
export type BrowserSettings = {
  issuer: string;
  clientId: string;
  /** Called for each request to the provider. Absent: a public client. @throws Error when its file has none */
  clientSecret: (() => string) | undefined;
  publicUrl: string;
  /** What requests to the provider have beside the client: scope, and how it learns of the audience. */
  parameters: Record<string, string>;
  sendsIdTokens: boolean;
  /** The keys as they were when they were first asked for. @throws Error when their file has none */
  keys: () => readonly string[];
};

/** @returns undefined when people do not sign in with a browser */
export function browserSettingsOf(config: BrowserVariables): BrowserSettings | undefined {
  const [first] = issuersOf(config);
  const { OIDC_CLIENT_ID: clientId, ALFRED_API_PORT: port } = config;
  if (!first || clientId === undefined) return undefined;
  const { scope, ...audience } = tokenParameters(first);
  return {
    issuer: first.issuer,
    clientId,
    clientSecret: clientSecretOf(config),
    publicUrl: config.ALFRED_PUBLIC_URL ?? `http://127.0.0.1:${port}`,
    // Keycloak refreshes as long as the person is signed in there; a lasting sign-in would outlive the browser.
    parameters: { ...audience, scope: first.provider === 'keycloak' ? 'openid' : (scope ?? 'openid') },
    sendsIdTokens: first.sendsIdTokens,
    keys: keysOf(config),
  };
}

function clientSecretOf({ OIDC_CLIENT_SECRET: secret, OIDC_CLIENT_SECRET_FILE: file }: BrowserVariables) {
  if (secret !== undefined) return () => secret;
  if (file === undefined) return undefined;
  return () => readSecretFile('OIDC_CLIENT_SECRET_FILE', file, 'the secret of the client');
}

function keysOf({ ALFRED_SESSION_KEY: given, ALFRED_SESSION_KEY_FILE: file }: BrowserVariables) {
  let keys = file === undefined ? given : undefined;
  return () => (keys ??= readKeys(file ?? ''));
}

function readKeys(file: string): string[] {
  const keys = sessionKeysIn(
    readSecretFile('ALFRED_SESSION_KEY_FILE', file, 'the output of `openssl rand -base64 32`'),
  );
  if (keys) return keys;
  throw new Error(
    `${file} holds no key for sessions (expected 32 random bytes or more a line: openssl rand -base64 32).`,
  );
}

type Fault = {
  variable:
    | 'ALFRED_API_HOSTS'
    | 'OIDC_CLIENT_ID'
    | 'OIDC_CLIENT_SECRET'
    | 'OIDC_CLIENT_SECRET_FILE'
    | 'ALFRED_PUBLIC_URL'
    | 'ALFRED_SESSION_KEY';
  message: string;
};

/** What is wrong with the variables together. */
export function browserFaults(
  config: BrowserVariables & { ALFRED_API_HOSTS: string[]; ALFRED_SKIP_HOST_CHECKS: boolean },
): Fault[] {
  const { OIDC_ISSUER, OIDC_CLIENT_ID, ALFRED_SESSION_KEY, ALFRED_SESSION_KEY_FILE } = config;
  const secrets = (['OIDC_CLIENT_SECRET', 'OIDC_CLIENT_SECRET_FILE'] as const).filter((name) => config[name]);
  if (OIDC_CLIENT_ID === undefined)
    return secrets.map((variable) => ({ variable, message: 'expected together with OIDC_CLIENT_ID' }));
  const faults: Fault[] = [];
  if (secrets.length > 1)
    faults.push({
      variable: 'OIDC_CLIENT_SECRET',
      message: 'expected without OIDC_CLIENT_SECRET_FILE: set one of them',
    });
  if (ALFRED_SESSION_KEY.length > 0 && ALFRED_SESSION_KEY_FILE !== undefined)
    faults.push({
      variable: 'ALFRED_SESSION_KEY',
      message: 'expected without ALFRED_SESSION_KEY_FILE: set one of them',
    });
  if (OIDC_ISSUER === undefined)
    faults.push({ variable: 'OIDC_CLIENT_ID', message: 'expected together with OIDC_ISSUER' });
  if (ALFRED_SESSION_KEY.length === 0 && ALFRED_SESSION_KEY_FILE === undefined)
    faults.push({
      variable: 'ALFRED_SESSION_KEY',
      message: 'is needed with OIDC_CLIENT_ID, to encrypt the tokens of sessions: openssl rand -base64 32',
    });
  const { host, hostname } = new URL(config.ALFRED_PUBLIC_URL ?? 'http://127.0.0.1');
  const isNear = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
  if (
    !isNear &&
    !config.ALFRED_SKIP_HOST_CHECKS &&
    ![host, hostname].some((name) => config.ALFRED_API_HOSTS.includes(name))
  )
    faults.push({
      variable: 'ALFRED_API_HOSTS',
      message: `expected ${host} among them, because ALFRED_PUBLIC_URL names it: requests to other hosts are refused`,
    });
  return faults;
}
