import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json, text } from 'node:stream/consumers';

type Rpc = { id?: number | string; method: string; params?: { name?: string; arguments?: Record<string, unknown> } };
type FaultyTool = { description?: string; inputSchema?: object; outputSchema?: object };

const megabyte = Buffer.alloc(1_000_000, 'x');

/**
 * An MCP server over streamable HTTP that behaves badly on demand. Its tools are `echo`, `slow` (answers after
 * `release`), `broken` (its stream ends before the answer), `wrong` (its answer does not fit its schema), `huge`
 * (100 MB, as one JSON or as a stream), `picture`, `fails`, `down` (503) and `confused` (an error of the protocol). Each
 * records its calls.
 */
export async function createFaultyServer() {
  const tools: Record<string, FaultyTool> = {
    echo: { description: 'Repeats a text.' },
    slow: {},
    broken: {},
    wrong: { outputSchema: { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] } },
    huge: {},
    picture: {},
    fails: {},
    down: {},
    confused: {},
  };
  const state = {
    tools,
    /** Calls of tools that arrived, by name. */
    calls: [] as string[],
    /** How often the tools were listed. */
    lists: 0,
    /** The sessions that the server knows. */
    sessions: new Set<string>(),
    /** The bearer token that counts; undefined: none is needed. */
    token: undefined as string | undefined,
    /** Whether the address of tokens gives the token that counts. */
    givesTokens: true,
    tokensGiven: 0,
    /** Bytes of `huge` that were taken from the server. */
    sentBytes: 0,
    headers: [] as IncomingMessage['headers'][],
  };
  const streams = new Set<ServerResponse>();
  let release = Promise.withResolvers<void>();
  let arrived = Promise.withResolvers<void>();

  const reply = (response: ServerResponse, rpc: Rpc, result: unknown) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result }));
  };
  const say = (response: ServerResponse, rpc: Rpc, words: string, more: object = {}) =>
    reply(response, rpc, { content: [{ type: 'text', text: words }], ...more });

  const sendHuge = async (response: ServerResponse, rpc: Rpc, asStream: boolean) => {
    response.setHeader('content-type', asStream ? 'text/event-stream' : 'application/json');
    const head = `{"jsonrpc":"2.0","id":${JSON.stringify(rpc.id)},"result":{"content":[{"type":"text","text":"`;
    response.write(asStream ? `data: ${head}` : head);
    response.on('error', () => {});
    for (let sent = 0; sent < 100 && !response.destroyed; sent += 1) {
      state.sentBytes += megabyte.length;
      if (!response.write(megabyte)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end('"}]}}\n\n');
  };

  const call = async (rpc: Rpc, response: ServerResponse) => {
    const { name = '', arguments: input = {} } = rpc.params ?? {};
    state.calls.push(name);
    arrived.resolve();
    if (name === 'slow') {
      await release.promise;
      return say(response, rpc, 'at last');
    }
    if (name === 'broken') {
      response.setHeader('content-type', 'text/event-stream').write(': begins\n\n');
      setImmediate(() => response.destroy());
      return;
    }
    if (name === 'wrong') return say(response, rpc, '{}', { structuredContent: { total: 'many' } });
    if (name === 'huge') return sendHuge(response, rpc, input['asStream'] === true);
    if (name === 'fails') return say(response, rpc, 'There is no such record.', { isError: true });
    if (name === 'down') return response.writeHead(503).end('a secret of the server');
    if (name === 'confused') {
      const error = { code: -32_050, message: 'a secret of the server' };
      return response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, error }));
    }
    if (name === 'picture')
      return reply(response, rpc, {
        content: [
          { type: 'image', data: 'AAAA', mimeType: 'image/png' },
          { type: 'resource', resource: { uri: 'file:///secret.txt', text: 'the text of a resource' } },
          { type: 'text', text: 'a picture' },
        ],
      });
    return say(response, rpc, JSON.stringify(input));
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/token') {
      state.tokensGiven += 1;
      await text(request);
      response.setHeader('content-type', 'application/json');
      if (!state.givesTokens) return response.writeHead(401).end(JSON.stringify({ error: 'invalid_client' }));
      return response.end(JSON.stringify({ access_token: state.token, token_type: 'bearer', expires_in: 3_600 }));
    }
    state.headers.push(request.headers);
    if (state.token !== undefined && request.headers.authorization !== `Bearer ${state.token}`)
      return response.writeHead(401).end('a secret of the server');
    const session = request.headers['mcp-session-id'];
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
      streams.add(response);
      return response.on('close', () => streams.delete(response));
    }
    if (request.method === 'DELETE') return response.writeHead(204).end();
    const rpc = (await json(request)) as Rpc;
    if (rpc.method === 'initialize') {
      const id = `session-${state.sessions.size + 1}-${Date.now()}`;
      state.sessions.add(id);
      response.setHeader('mcp-session-id', id);
      return reply(response, rpc, {
        protocolVersion: '2025-06-18',
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: 'faulty', version: '1' },
      });
    }
    if (!state.sessions.has(String(session))) return response.writeHead(404).end('no such session');
    if (rpc.id === undefined) return response.writeHead(202).end();
    if (rpc.method === 'tools/call') return call(rpc, response);
    state.lists += 1;
    const listed = Object.entries(state.tools).map(([name, tool]) => ({
      name,
      inputSchema: { type: 'object' },
      ...tool,
    }));
    return reply(response, rpc, { tools: listed });
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    state,
    url: `${origin}/mcp?key=hidden`,
    tokenUrl: `${origin}/token`,
    place: new URL(origin).host,
    /** Lets `slow` answer. */
    release() {
      release.resolve();
      release = Promise.withResolvers();
    },
    /** Resolves with the next call of a tool. */
    nextCall() {
      arrived = Promise.withResolvers();
      return arrived.promise;
    },
    /** Tells the clients that the tools have changed. */
    announce() {
      for (const stream of streams)
        stream.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}\n\n`);
    },
    openStreams: () => streams.size,
    async close() {
      release.resolve();
      const closed = once(server, 'close');
      server.close();
      // A connection that is accepted meanwhile, and brings no request, would keep the server open for a minute.
      const timer = setInterval(() => server.closeAllConnections(), 20);
      await closed;
      clearInterval(timer);
    },
  };
}
export type FaultyServer = Awaited<ReturnType<typeof createFaultyServer>>;
