import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { createApiClient } from '../../cli/client/api-client.ts';
import { bridge } from '../../cli/mcp/bridge.ts';
import { until } from '../support/until.ts';

test('messages pass with the saved sign-in, and a refusal becomes an error of its request', async () => {
  const answer = Promise.withResolvers<void>();
  const heard: { authorization: string | undefined; version: unknown; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { authorization, 'mcp-protocol-version': version } = request.headers;
      if (request.method === 'GET') return response.writeHead(405).end();
      heard.push({ authorization, version, body });
      const { id, method } = JSON.parse(body) as { id?: number; method: string };
      if (method === 'tools/list')
        return response.writeHead(403, { 'content-type': 'application/problem+json' }).end(
          JSON.stringify({
            type: 'about:blank',
            title: 'x',
            status: 403,
            code: 'insufficient_scope',
            detail: 'This needs the scope tasks:read.',
            requestId: 'r',
          }),
        );
      if (id === undefined) return response.writeHead(202).end();
      if (method === 'tools/call') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        return void answer.promise.then(() =>
          response.end(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`),
        );
      }
      const message = { jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18' } };
      return response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = createApiClient(
    async () => ({ url, foundBy: 'the test' }),
    async () => ({ token: 'saved', from: 'alfred login' }),
  );
  const [input, output] = [new PassThrough(), new PassThrough()];
  let written = '';
  output.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const running = bridge(api, { input, output });
  const say = (message: object) => input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  say({ id: 1, method: 'initialize', params: {} });
  await until('it is initialised', () => written.includes('2025-06-18'));
  say({ method: 'notifications/initialized' });
  say({ id: 2, method: 'tools/list' });
  await until('the refusal arrives', () => written.includes('"id":2'));
  expect(written).toContain('This needs the scope tasks:read.');
  expect(heard[0]).toMatchObject({ authorization: 'Bearer saved' });
  expect(heard.at(-1)).toMatchObject({ authorization: 'Bearer saved', version: '2025-06-18' });
  // What is asked last is answered, though the input ends at once.
  say({ id: 3, method: 'tools/call' });
  input.end();
  await until('the last request arrives', () => heard.some(({ body }) => body.includes('"id":3')));
  answer.resolve();
  await running;
  expect(written).toContain('"id":3');
  server.closeAllConnections();
  server.close();
});
