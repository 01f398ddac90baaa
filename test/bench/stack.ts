import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { startApi } from '../../api/compose.ts';
import { openEdge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { startWorkers } from '../../workers/compose.ts';
import { startServers, type Stops } from './servers.ts';

type Where = { dir: string; log: Logger; stops: Stops };

/**
 * The servers, the API and the workers, the latter two in this process.
 *
 * @param variables of the configuration
 * @param changed   what the workers get in place of the adapters
 */
export async function startStack(
  { dir, log, stops }: Where,
  variables: Record<string, string>,
  changed: (adapters: Adapters) => Adapters = (adapters) => adapters,
) {
  const { config, pids } = await startServers(dir, log, stops, variables);
  const edge = await openEdge(config, 'bench');
  const adapters = createAdapters(edge);
  const workers = await startWorkers(edge, changed(adapters));
  const api = await startApi(edge, adapters);
  edge.readiness.markServing();
  stops.push(async () => {
    await api.stop();
    await workers.stop();
    await adapters.close();
    await edge.close();
  });
  return { url: api.url, edge, adapters, pids };
}
