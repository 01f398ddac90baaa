import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type ReceivedRequest = { method: string; path: string; headers: IncomingHttpHeaders; body: string };
type Answer = (response: ServerResponse, received: ReceivedRequest) => void;

/** Another company's server. It records all requests and answers 204, unless a test sets another answer. */
export async function createWebhookReceiver() {
  const received: ReceivedRequest[] = [];
  let answer: Answer = (response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const whole = { method, path, headers, body: Buffer.concat(chunks).toString() };
      received.push(whole);
      answer(response, whole);
    });
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    answerWith: (next: Answer) => {
      answer = next;
    },
    answerWithStatus: (status: number, headers: Record<string, string> = {}, body = '') => {
      answer = (response) => response.writeHead(status, headers).end(body);
    },
    /** Listens again, at the same address. */
    up: () => listen(port),
    /** Closes all connections and refuses new ones. */
    down: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type WebhookReceiver = Awaited<ReturnType<typeof createWebhookReceiver>>;

/** Checks a signature with the library of Standard Webhooks, as a receiver does. @throws when it is wrong */
export const verifySignature = (secret: string, { body, headers }: ReceivedRequest): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>);
