import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import Provider, { type Grant } from 'oidc-provider';
import { decideDevice, followTo } from './browser.ts';

/** What tokens for Alfred have in `aud`. */
export const audience = 'https://alfred.example.com';
const redirectUri = 'http://127.0.0.1:9/signed-in';
const clients = [
  {
    client_id: 'nightly',
    client_secret: 'a secret of the nightly report, long enough',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  },
  {
    client_id: 'console',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [redirectUri],
  },
  {
    client_id: 'web',
    client_secret: 'a secret of the pages, which is long enough',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['https://alfred.example.com/auth/callback'],
    post_logout_redirect_uris: ['https://alfred.example.com/'],
  },
  {
    client_id: 'cli',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    response_types: [],
    redirect_uris: [],
  },
];

/** What the server keeps, each for five minutes. */
const kinds = [
  'AccessToken',
  'AuthorizationCode',
  'ClientCredentials',
  'DeviceCode',
  'Grant',
  'IdToken',
  'Interaction',
  'RefreshToken',
  'Session',
];

export type OidcServer = Awaited<ReturnType<typeof startOidcServer>>;

/**
 * A real OpenID Connect provider on a free port of this machine. Its tokens have the claims `roles`, `groups` and
 * `tenant` of `people`, by subject; everybody is let in without a password.
 */
export async function startOidcServer(people: Record<string, JWTPayload> = {}) {
  const requests: string[] = [];
  let listener: RequestListener | undefined;
  const grants: Grant[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (listener) listener(request, response);
    else request.socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let key = await newKey('first');
  const open = () => {
    listener = createListener(issuer, key.jwk, { people, grants });
  };
  open();

  return {
    issuer,
    /** The addresses that were asked for. */
    requests,
    jwksRequests: () => requests.filter((url) => url.startsWith('/jwks')).length,
    /** Breaks off every connection until `open`. */
    shut: () => {
      listener = undefined;
      server.closeAllConnections();
    },
    open,
    /** Replaces the key by another one, as issuers do every now and then. */
    async rotateKey(kid: string) {
      key = await newKey(kid);
      open();
    },
    /** The private key and its id, for tokens that the server would not make. */
    get key() {
      return key;
    },
    /** Signs a token as the server would. @param changes claims that replace the usual ones; undefined removes one */
    sign(changes: Record<string, unknown> = {}, header: object = {}) {
      const now = Math.floor(Date.now() / 1_000);
      const claims = { iss: issuer, aud: audience, sub: 'ada', iat: now, exp: now + 300, tenant: 'acme', ...changes };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...header })
        .sign(key.privateKey);
    },
    clientCredentials: (scope?: string) => clientCredentials(issuer, scope),
    signIn: (subject: string, scope?: string) => signInByCode(issuer, subject, scope),
    decideDevice,
    /** Ends what people have allowed: no refresh token counts any more. */
    endGrants: () => Promise.all(grants.splice(0).map((grant) => grant.destroy())),
    followTo,
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}

const showPage = (context: { body: string }) => {
  context.body = 'A page.';
};

async function newKey(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid, privateKey, publicKey, jwk: { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' } };
}

function createListener(
  issuer: string,
  jwk: object,
  { people, grants }: { people: Record<string, JWTPayload>; grants: Grant[] },
): RequestListener {
  const provider = newProvider(issuer, {
    clients,
    jwks: { keys: [jwk] },
    cookies: { keys: ['a key for cookies'] },
    // Named, because the defaults are announced on the console.
    ttl: Object.fromEntries(kinds.map((kind) => [kind, 300])),
    findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // Pages of our own, and a rule: those of the library announce on the console that they are examples.
      deviceFlow: {
        enabled: true,
        userCodeInputSource: showPage,
        userCodeConfirmSource: showPage,
        successSource: showPage,
      },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'tasks:read tasks:write',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    rotateRefreshToken: true,
    issueRefreshToken: (_context: unknown, client: { grantTypeAllowed: (grant: string) => boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    extraTokenClaims: (_context: unknown, { accountId, clientId }: { accountId?: string; clientId: string }) => ({
      tenant: 'acme',
      ...people[accountId ?? clientId],
    }),
  });
  const callback = provider.callback();
  return (request, response) => {
    if (request.url?.startsWith('/interaction/'))
      void letIn(provider, request, response).then((grant) => grants.push(grant));
    else callback(request, response);
  };
}

/** The library warns on the console that it keeps everything in memory, which is what a test wants. */
function newProvider(issuer: string, configuration: object): Provider {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return new Provider(issuer, configuration);
  } finally {
    console.warn = warn;
  }
}

/** Signs in who the request's `login_hint` names, and grants what the client asks for. */
async function letIn(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  const { params, session } = await provider.interactionDetails(request, response);
  const hint =
    (params as { login_hint?: string }).login_hint ?? /(?:^|; )hint=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
  const accountId = session?.accountId ?? hint ?? '';
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope('openid offline_access');
  grant.addResourceScope(audience, params.scope ?? '');
  const grantId = await grant.save();
  await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
  return grant;
}

async function clientCredentials(issuer: string, scope?: string): Promise<string> {
  const { client_id, client_secret = '' } = clients[0] ?? {};
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${client_id}:${encodeURIComponent(client_secret)}`).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: audience,
      ...(scope === undefined ? {} : { scope }),
    }),
  });
  return tokensIn(await response.json()).access;
}

function tokensIn(answer: unknown): { access: string; id: string } {
  const { access_token: access, id_token: id = '' } = answer as { access_token?: string; id_token?: string };
  if (access === undefined) throw new Error(`The OIDC server gave no token: ${JSON.stringify(answer)}`);
  return { access, id };
}

/** Authorization code with PKCE, as a browser does it. */
async function signInByCode(issuer: string, subject: string, scope = ''): Promise<{ access: string; id: string }> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: 'console',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: `openid ${scope}`.trim(),
    resource: audience,
    nonce: 'n-0S6_WzA2Mj',
    login_hint: subject,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const code = await followToCode(`${issuer}/auth?${query.toString()}`);
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'console',
      redirect_uri: redirectUri,
      code,
      code_verifier: verifier,
      resource: audience,
    }),
  });
  return tokensIn(await response.json());
}

async function followToCode(start: string): Promise<string> {
  const url = await followTo(start, redirectUri);
  const code = new URL(url).searchParams.get('code');
  if (code === null) throw new Error(`The OIDC server refused the sign-in: ${url}`);
  return code;
}
