import { tokenParameters } from './device-sign-in.ts';
import { issuersOf } from './identity-settings.ts';

/** The variables as they are parsed. */
type BrowserVariables = Parameters<typeof issuersOf>[0] & {
  OIDC_CLIENT_ID?: string | undefined;
  OIDC_CLIENT_SECRET?: string | undefined;
  ALFRED_PUBLIC_URL?: string | undefined;
  ALFRED_SESSION_KEY: string[];
  ALFRED_API_PORT: number;
};

/** How people sign in with a browser. */
export type BrowserSettings = {
  issuer: string;
  clientId: string;
  clientSecret: string | undefined;
  publicUrl: string;
  /** What requests to the provider have beside the client: scope, and how it learns of the audience. */
  parameters: Record<string, string>;
  sendsIdTokens: boolean;
  keys: readonly string[];
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
    clientSecret: config.OIDC_CLIENT_SECRET,
    publicUrl: config.ALFRED_PUBLIC_URL ?? `http://127.0.0.1:${port}`,
    // Keycloak refreshes as long as the person is signed in there; a lasting sign-in would outlive the browser.
    parameters: { ...audience, scope: first.provider === 'keycloak' ? 'openid' : (scope ?? 'openid') },
    sendsIdTokens: first.sendsIdTokens,
    keys: config.ALFRED_SESSION_KEY,
  };
}

type Fault = {
  variable: 'ALFRED_API_HOSTS' | 'OIDC_CLIENT_ID' | 'OIDC_CLIENT_SECRET' | 'ALFRED_PUBLIC_URL' | 'ALFRED_SESSION_KEY';
  message: string;
};

/** What is wrong with the variables together. */
export function browserFaults(
  config: BrowserVariables & { ALFRED_API_HOSTS: string[]; ALFRED_SKIP_HOST_CHECKS: boolean },
): Fault[] {
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, ALFRED_SESSION_KEY } = config;
  if (OIDC_CLIENT_ID === undefined)
    return OIDC_CLIENT_SECRET === undefined
      ? []
      : [{ variable: 'OIDC_CLIENT_SECRET', message: 'expected together with OIDC_CLIENT_ID' }];
  const faults: Fault[] = [];
  if (OIDC_ISSUER === undefined)
    faults.push({ variable: 'OIDC_CLIENT_ID', message: 'expected together with OIDC_ISSUER' });
  if (ALFRED_SESSION_KEY.length === 0)
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
