import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Edge } from './edge.ts';
import { version } from './version.ts';

/** What probes ask about. */
export type Probed = Pick<Edge, 'readiness' | 'readMetrics' | 'metrics'>;
type Answer = { status: number; type: string; body: string };

const json = (status: number, body: unknown): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
});
const notFound: Answer = { status: 404, type: 'text/plain', body: 'not found\n' };

/**
 * Answers `/health`, `/healthz` and `/metrics`.
 *
 * @param options `isNear`: false for strangers, who see states, and neither details nor metrics
 */
export async function answerProbe(
  { readiness, readMetrics, metrics }: Probed,
  path: string,
  { isNear } = { isNear: true },
): Promise<Answer> {
  if (path === '/health') return json(200, { status: 'ok', version, uptime_s: process.uptime() });
  if (path === '/metrics' && isNear)
    return { status: 200, type: metrics.registry.contentType, body: await readMetrics() };
  if (path !== '/healthz') return notFound;
  const state = await readiness.read();
  return json(state.status === 'ready' ? 200 : 503, isNear ? state : { status: state.status });
}

/** Serves `/health`, `/healthz` and `/metrics` for a process without the API. */
export async function startHealthServer({ config, ...probed }: Pick<Edge, 'config'> & Probed) {
  const server = createServer((request, response) => {
    answerProbe(probed, request.url?.split('?')[0] ?? '').then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.ALFRED_HEALTH_PORT, config.ALFRED_HEALTH_HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()) };
}
