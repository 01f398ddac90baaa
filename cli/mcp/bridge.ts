import type { Readable, Writable } from 'node:stream';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { parseJson } from '../../contract/json.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import type { ApiClient } from '../client/api-client.ts';

/** Code of JSON-RPC for a failure of the server. */
const internalError = -32_603;
/** Requests under way at the end of the input are answered within this time, in milliseconds: `waitS` is 600 at most. */
const lastAnswersMs = 660_000;

type Options = { input?: Readable; output?: Writable };

/**
 * Passes messages of MCP between standard input and output and `/mcp` of the API, with the saved sign-in.
 *
 * @returns when the input has ended, and the requests in it are answered
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
  /** Requests without an answer, and messages that are being sent. */
  const underWay = new Set<unknown>();
  let allDone: (() => void) | undefined;
  const finish = (one: unknown) => {
    underWay.delete(one);
    if (underWay.size === 0) allDone?.();
  };
  const reply = (message: JSONRPCMessage) => {
    const id = 'method' in message ? undefined : message.id;
    near.send(message).then(
      () => finish(id),
      () => finish(id),
    );
  };
  near.onmessage = (message) => {
    underWay.add(message);
    if ('method' in message && 'id' in message) underWay.add(message.id);
    // The answer of a request that its sender has cancelled may never come.
    if ('method' in message && message.method === 'notifications/cancelled') finish(message.params?.['requestId']);
    far
      .send(message)
      .catch((error: unknown) => {
        if (!('id' in message) || message.id === undefined || !('method' in message)) return;
        const { message: reason } = error as Error;
        reply({ jsonrpc: '2.0', id: message.id, error: { code: internalError, message: reason } });
      })
      .finally(() => finish(message));
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
  await withTimeout(
    new Promise<void>((resolve) => {
      allDone = resolve;
      finish(undefined);
    }),
    lastAnswersMs,
    () => {},
  );
  await far.close();
  await near.close();
}
