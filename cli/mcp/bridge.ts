import type { Readable, Writable } from 'node:stream';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { parseJson } from '../../contract/json.ts';
import type { ApiClient } from '../client/api-client.ts';

/** Code of JSON-RPC for a failure of the server. */
const internalError = -32_603;

type Options = { input?: Readable; output?: Writable };

/**
 * Passes messages of MCP between standard input and output and `/mcp` of the API, with the saved sign-in.
 *
 * @returns when the input has ended
 */
export async function bridge(api: Pick<ApiClient, 'open'>, { input = process.stdin, output }: Options = {}) {
  const near = new StdioServerTransport(input, output);
  // The address is a name only: the client of the API finds the server for each request.
  const far = new StreamableHTTPClientTransport(new URL('http://alfred/mcp'), {
    fetch: (_url, { method = 'GET', body, headers, signal } = {}) =>
      api.open('/mcp', {
        method: method as 'GET' | 'POST' | 'DELETE',
        ...(typeof body === 'string' ? { json: parseJson(body) } : {}),
        headers: Object.fromEntries(new Headers(headers)),
        ...(signal ? { signal } : {}),
      }),
  });
  const reply = (message: JSONRPCMessage) => void near.send(message).catch(() => {});
  near.onmessage = (message) => {
    far.send(message).catch((error: unknown) => {
      if (!('id' in message) || message.id === undefined || !('method' in message)) return;
      const { message: reason } = error as Error;
      reply({ jsonrpc: '2.0', id: message.id, error: { code: internalError, message: reason } });
    });
  };
  far.onmessage = (message) => {
    const version = 'result' in message ? message.result['protocolVersion'] : undefined;
    if (typeof version === 'string') far.setProtocolVersion(version);
    reply(message);
  };
  const ended = new Promise<void>((resolve) => input.once('end', resolve).once('close', resolve));
  await far.start();
  await near.start();
  await ended;
  await far.close();
  await near.close();
}
