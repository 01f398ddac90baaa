import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { AlfredError } from '../../contract/errors.ts';
import { variablesOf, type McpServerSettings } from '../../runtime/mcp-settings.ts';
import { createAccessToken, type AccessToken } from './access-token.ts';
import { limitBody } from './limited-body.ts';
import { pendingCall } from './pending-call.ts';

export type ReadVariables = (names: readonly string[]) => Readonly<Record<string, string | undefined>>;

/** Makes transports to one server. Tokens outlive a transport. @param server its name, for errors */
export function createTransports(server: string, settings: McpServerSettings, readVariables: ReadVariables) {
  let token: AccessToken | undefined;

  /** @throws AlfredError `destination_refused` when a variable is not set in this process */
  function variables(): Record<string, string> {
    const values = readVariables(variablesOf(settings));
    const missing = Object.keys(values).filter((name) => values[name] === undefined);
    if (missing.length === 0) return values as Record<string, string>;
    throw new AlfredError(
      'destination_refused',
      `The MCP server ${server} cannot be called: ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not set for the workers.`,
    );
  }

  return (): Transport => {
    const values = variables();
    const { url, command = '', args = [], env = [], cwd, headers = {}, oauth, maxBytes } = settings;
    if (url === undefined)
      return new StdioClientTransport({
        command,
        args,
        ...(cwd === undefined ? {} : { cwd }),
        env: Object.fromEntries(env.map((name) => [name, values[name] ?? ''])),
        // What a program writes there may be content, which belongs into no log.
        stderr: 'ignore',
        maxBufferSize: maxBytes,
      });
    if (oauth) token ??= createAccessToken({ ...oauth, server, secret: values[oauth.clientSecret] ?? '' });
    const ownHeaders = Object.entries(headers).map(
      ([name, text]) =>
        [name, text.replace(/\$\{([^}]+)\}/g, (_, variable: string) => values[variable] ?? '')] as const,
    );
    return new StreamableHTTPClientTransport(new URL(url), {
      fetch: createFetch({ headers: ownHeaders, token, maxBytes }),
    });
  };
}

type FetchOptions = { headers: (readonly [string, string])[]; token: AccessToken | undefined; maxBytes: number };

/** `fetch` with the server's credentials. 401 renews the token once; longer answers than allowed are cut off. */
const createFetch =
  ({ headers: own, token, maxBytes }: FetchOptions) =>
  async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const send = async (bearer: string | undefined) => {
      const headers = new Headers(init.headers);
      for (const [name, value] of own) headers.set(name, value);
      if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
      return fetch(input, { ...init, headers });
    };
    const bearer = await token?.get();
    let response = await send(bearer);
    if (response.status === 401 && token && bearer !== undefined) {
      await response.body?.cancel();
      await token.forget(bearer);
      response = await send(await token.get());
    }
    const isOpenStream = init.method === 'GET';
    return limitBody(response, { maxBytes, call: isOpenStream ? undefined : pendingCall.getStore(), isOpenStream });
  };
