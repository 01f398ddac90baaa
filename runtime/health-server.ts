import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Edge } from './edge.ts';
import { version } from './version.ts';

/** Serves `/health`, `/healthz` and `/metrics` for a process without the API. */
export async function startHealthServer({
  config,
  readiness,
  readMetrics,
  metrics,
}: Pick<Edge, 'config' | 'readiness' | 'readMetrics' | 'metrics'>) {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type }).end(body);
    const json = (status: number, body: unknown) => send(status, 'application/json', JSON.stringify(body));
    const answer = async () => {
      const path = request.url?.split('?')[0];
      if (path === '/health') return json(200, { status: 'ok', version, uptime_s: process.uptime() });
      if (path === '/metrics') return send(200, metrics.registry.contentType, await readMetrics());
      if (path !== '/healthz') return send(404, 'text/plain', 'not found\n');
      const state = await readiness.read();
      return json(state.status === 'ready' ? 200 : 503, state);
    };
    answer().catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.ALFRED_HEALTH_PORT, config.ALFRED_HEALTH_HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()) };
}
