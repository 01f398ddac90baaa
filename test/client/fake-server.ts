import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAlfred, type AlfredOptions } from '../../client/src/index.ts';

export type Answer = (response: ServerResponse, request: IncomingMessage, count: number) => unknown;

/** A server that answers as a test says, and a client of it. `count` is the number of the request, from 1. */
export async function createFakeServer(answer: Answer, options: Partial<AlfredOptions> = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    request.resume();
    answer(response, request, requests.push(request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    alfred: createAlfred({ url, ...options }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const sendJson = (response: ServerResponse, status: number, body: unknown, headers = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export const sendProblem = (response: ServerResponse, status: number, code: string, headers = {}) =>
  sendJson(response, status, { code, detail: `It is ${code}.`, requestId: 'r-1', status }, headers);
