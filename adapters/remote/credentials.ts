import { createAuthenticatingFetchWithRetry, type AuthenticationHandler } from '@a2a-js/sdk/client';
import * as oidc from 'openid-client';
import { AlfredError } from '../../contract/errors.ts';
import type { RemoteAuth } from '../../runtime/remote-agent-settings.ts';
import { readSecretFile } from '../../runtime/secret-file.ts';

export type ReadVariables = (names: readonly string[]) => Readonly<Record<string, string | undefined>>;

type Headers = Record<string, string>;
/** Makes the headers that say who asks. @param isRefused those of before were refused */
type MakeHeaders = (isRefused: boolean) => Promise<Headers>;

/** A token of a provider is renewed so long before its end, in milliseconds. */
const marginMs = 30_000;

/**
 * `fetch` with the secret of a remote agent. After a 401 the secret is read, or the token fetched, once more and the
 * request repeated: a request that was refused so did nothing.
 *
 * @throws AlfredError `remote_refused` when it is refused all the same
 */
export function withCredentials(
  agent: string,
  auth: RemoteAuth | undefined,
  { fetchImpl, readVariables }: { fetchImpl: typeof fetch; readVariables: ReadVariables },
): typeof fetch {
  const make = headersFor(agent, auth, readVariables);
  const handler: AuthenticationHandler = {
    headers: () => make(false),
    shouldRetryWithHeaders: async (_, { status }) => (status === 401 && auth ? make(true) : undefined),
  };
  const authenticated = createAuthenticatingFetchWithRetry(fetchImpl, handler);
  return async (...request) => {
    const response = await authenticated(...request);
    if (response.status !== 401) return response;
    void response.body?.cancel().catch(() => {});
    throw new AlfredError(
      'remote_refused',
      `The remote agent ${agent} does not accept the credentials (401): look at \`auth\` in ALFRED_REMOTE_AGENTS.`,
    );
  };
}

function headersFor(agent: string, auth: RemoteAuth | undefined, readVariables: ReadVariables): MakeHeaders {
  if (auth === undefined) return async () => ({});
  const secretOf = (variable: string) => {
    const secret = readVariables([variable])[variable];
    if (secret === undefined)
      throw new AlfredError('remote_refused', `${variable} is not set, and the remote agent ${agent} needs it.`);
    return secret;
  };
  if ('bearer' in auth) return async () => bearer(secretOf(auth.bearer));
  if ('header' in auth) return async () => ({ [auth.header]: secretOf(auth.value) });
  if ('bearerFile' in auth) return async () => bearer(readFile(agent, auth.bearerFile));
  return tokensOf(agent, auth.oauth, secretOf);
}

const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });

/** Read for each request: the process that renews the token writes the file. */
function readFile(agent: string, file: string): string {
  try {
    return readSecretFile(`bearerFile of ${agent}`, file, 'the token').trim();
  } catch (error) {
    throw new AlfredError('remote_refused', (error as Error).message, { cause: error });
  }
}

type OAuth = Extract<RemoteAuth, { oauth: unknown }>['oauth'];

/** Tokens by the client credentials grant, each used until shortly before its end. */
function tokensOf(agent: string, oauth: OAuth, secretOf: (variable: string) => string): MakeHeaders {
  const { tokenUrl, clientId, clientSecret, scope } = oauth;
  let token: { text: string; endsAt: number } | undefined;
  let fetching: Promise<string> | undefined;

  const fetchToken = async (): Promise<string> => {
    const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
    const config = new oidc.Configuration(server, clientId, secretOf(clientSecret), oidc.ClientSecretBasic());
    if (tokenUrl.startsWith('http:')) oidc.allowInsecureRequests(config);
    try {
      const granted = await oidc.clientCredentialsGrant(config, scope === undefined ? {} : { scope });
      token = { text: granted.access_token, endsAt: Date.now() + (granted.expiresIn() ?? 300) * 1_000 - marginMs };
      return granted.access_token;
    } catch (error) {
      const isRefusal = error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError;
      throw new AlfredError(
        isRefusal ? 'remote_refused' : 'remote_unavailable',
        `No token for the remote agent ${agent} could be had at ${new URL(tokenUrl).host}.`,
        { cause: error },
      );
    }
  };

  return async (isRefused) => {
    if (isRefused) token = undefined;
    if (token && token.endsAt > Date.now()) return bearer(token.text);
    fetching ??= fetchToken().finally(() => (fetching = undefined));
    return bearer(await fetching);
  };
}
