import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Grants tokens by client credentials (RFC 6749, 4.4), one after the other: `token-1`, `token-2` … */
export async function startTokenServer({ clientId, clientSecret }: { clientId: string; clientSecret: string }) {
  const grants: { scope: string | null }[] = [];
  let number = 0;
  const expected = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;

  async function reply(request: IncomingMessage): Promise<[number, object]> {
    const read: Buffer[] = [];
    for await (const piece of request) read.push(piece as Buffer);
    const form = new URLSearchParams(Buffer.concat(read).toString('utf8'));
    if (form.get('grant_type') !== 'client_credentials') return [400, { error: 'unsupported_grant_type' }];
    if (request.headers.authorization !== expected) return [401, { error: 'invalid_client' }];
    grants.push({ scope: form.get('scope') });
    return [200, { access_token: `token-${number}`, token_type: 'Bearer', expires_in: 3_600 }];
  }

  const server = createServer((request, response) => {
    void reply(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    grants,
    /** From now on another token is granted. @returns it */
    next: () => `token-${++number}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
