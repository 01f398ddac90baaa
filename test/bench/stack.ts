import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { startApi } from '../../api/compose.ts';
import { openEdge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { startWorkers } from '../../workers/compose.ts';
import { startServers, type Cleanups } from './servers.ts';

type Surroundings = { dir: string; log: Logger; cleanups: Cleanups };

/**
 * Starts the servers, and the API and the workers in this process.
 *
 * @param variables      of the configuration
 * @param changeAdapters returns the adapters that the workers get
 */
export async function startStack(
  { dir, log, cleanups }: Surroundings,
  variables: Record<string, string>,
  changeAdapters: (adapters: Adapters) => Adapters = (adapters) => adapters,
) {
  const { config, pids } = await startServers(dir, log, cleanups, variables);
  const edge = await openEdge(config, 'bench');
  const adapters = createAdapters(edge);
  const workers = await startWorkers(edge, changeAdapters(adapters));
  const api = await startApi(edge, adapters);
  edge.readiness.markServing();
  cleanups.push(async () => {
    await api.stop();
    await workers.stop();
    await adapters.close();
    await edge.close();
  });
  return { url: api.url, edge, adapters, pids };
}
