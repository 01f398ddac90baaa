import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type ReceivedRequest = { method: string; path: string; headers: IncomingHttpHeaders; body: string };
type Answer = (response: ServerResponse, received: ReceivedRequest) => void;

/** Another company's server: keeps what it gets and answers as it is told, 204 at first. */
export async function createWebhookReceiver() {
  const received: ReceivedRequest[] = [];
  let answer: Answer = (response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
      received.push(one);
      answer(response, one);
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
    /** Comes up again at the same address. */
    up: () => listen(port),
    /** Refuses connections, and breaks those it has. */
    down: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type WebhookReceiver = Awaited<ReturnType<typeof createWebhookReceiver>>;

/** As a receiver checks it, with the library that Standard Webhooks offers. @throws when the signature is wrong */
export const verifySignature = (secret: string, { body, headers }: ReceivedRequest): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>);
