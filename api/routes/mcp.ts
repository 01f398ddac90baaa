import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Api } from '../http/fastify.ts';
import { createInnerRequests } from '../http/inner-requests.ts';
import { createAlfredServer } from '../mcp/server.ts';

type Deps = {
  draining: AbortSignal;
  /** Takes one of the sender's event streams. @returns frees it */
  takeStream: (scope: Scope) => () => void;
};

/**
 * Alfred as an MCP server, over streamable HTTP and without sessions: any process answers any request. The door has
 * identified the sender, and each tool calls a route in the sender's name.
 */
export const mcpRoutes =
  ({ draining, takeStream }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/mcp',
      schema: { hide: true, bodies: { 'application/json': {} } },
      handler: async (request, reply) => {
        if (request.body === undefined || request.body === null || Array.isArray(request.body))
          throw new AlfredError(
            'malformed_request',
            'Send one message of JSON-RPC as the body: a JSON object. An empty body and batches are not taken.',
          );
        // `close` has come already, and comes no more.
        if (reply.raw.destroyed) return reply.send();
        const transport = new WebStandardStreamableHTTPServerTransport();
        const server = createAlfredServer(createInnerRequests(app, request).call, draining);
        const release = takeStream(request.scope);
        // A client that goes away ends what waits for it. Its task goes on.
        reply.raw.once('close', () => {
          release();
          void server.close();
        });
        await server.connect(transport);
        const headers = new Headers();
        for (const [name, value] of Object.entries(request.headers))
          if (value !== undefined) headers.set(name, String(value));
        const { host = 'localhost' } = request.headers;
        const asked = new Request(new URL(request.url, `http://${host}`), { method: 'POST', headers });
        return reply.send(await transport.handleRequest(asked, { parsedBody: request.body }));
      },
    });
  };
