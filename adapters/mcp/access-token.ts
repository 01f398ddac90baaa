import * as oauth from 'openid-client';
import { AlfredError } from '../../contract/errors.ts';
import { causeWithoutWords } from '../../runtime/cause-without-words.ts';

/** A token is renewed so long before its end, in milliseconds. */
const earlyMs = 30_000;
const timeoutS = 15;

type Client = {
  /** Name of the MCP server, for errors. */
  server: string;
  tokenUrl: string;
  clientId: string;
  secret: string;
  scope?: string | undefined;
  resource?: string | undefined;
};

/** Access tokens by client credentials (RFC 6749, 4.4). Only the configured address gets the secret. */
export function createAccessToken({ server, tokenUrl, clientId, secret, scope, resource }: Client) {
  const address = new URL(tokenUrl);
  const metadata = { issuer: address.origin, token_endpoint: address.href };
  const configuration = new oauth.Configuration(metadata, clientId, undefined, oauth.ClientSecretBasic(secret));
  configuration.timeout = timeoutS;
  if (address.protocol === 'http:') oauth.allowInsecureRequests(configuration);
  let current: Promise<{ token: string; endsAt: number }> | undefined;

  const request = async () => {
    try {
      const tokens = await oauth.clientCredentialsGrant(configuration, {
        ...(scope === undefined ? {} : { scope }),
        ...(resource === undefined ? {} : { resource }),
      });
      return { token: tokens.access_token, endsAt: Date.now() + (tokens.expiresIn() ?? Infinity) * 1_000 };
    } catch (error) {
      current = undefined;
      throw tokenError(error, server, address.host);
    }
  };

  return {
    /** @throws AlfredError `destination_refused` when the credentials do not count, else `tool_failed` */
    async get(): Promise<string> {
      const known = await (current ??= request());
      if (known.endsAt - Date.now() > earlyMs) return known.token;
      return (await (current = request())).token;
    },
    /** Forgets a token that the server has refused. */
    async forget(refused: string): Promise<void> {
      const known = await current?.catch(() => undefined);
      if (known?.token === refused) current = undefined;
    },
  };
}
export type AccessToken = ReturnType<typeof createAccessToken>;

function tokenError(error: unknown, server: string, host: string): AlfredError {
  const cause = causeWithoutWords(error);
  const reason = error instanceof oauth.ResponseBodyError ? error : undefined;
  if (!reason || reason.status >= 500)
    return new AlfredError(
      'tool_failed',
      `${host}, which gives the tokens for the MCP server ${server}, does not answer.`,
      { cause },
    );
  return new AlfredError(
    'destination_refused',
    `${host} gave no token for the MCP server ${server} (${reason.status}). The operator checks \`oauth\` of ${server} in ALFRED_MCP_SERVERS, and the variable of its secret.`,
    { cause },
  );
}
