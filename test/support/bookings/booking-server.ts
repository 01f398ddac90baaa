import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stores bookings. It does not recognise a repeated request: a request that is sent twice books twice. */
export async function startBookingServer() {
  const posts: string[] = [];
  const lookups: string[] = [];
  const server: Server = createServer((request, response) => {
    const key = decodeURIComponent(request.url?.split('/').at(-1) ?? '');
    if (request.method === 'POST') posts.push(key);
    else lookups.push(key);
    response.statusCode = request.method === 'POST' || posts.includes(key) ? 200 : 404;
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, posts, lookups, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
