import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { startApi } from '../../api/compose.ts';
import { openEdge } from '../../runtime/edge.ts';
import { startWorkers } from '../../workers/compose.ts';
import { startServers, type Surroundings } from './servers.ts';

/**
 * Starts the servers, and opens the connections and adapters of this process.
 *
 * @param variables of the configuration
 */
export async function openStack(surroundings: Surroundings, variables: Record<string, string>) {
  const { config, pids } = await startServers(surroundings, variables);
  const edge = await openEdge(config, 'bench');
  const adapters = createAdapters(edge);
  surroundings.cleanups.push(async () => {
    await adapters.close();
    await edge.close();
  });
  return { config, edge, adapters, pids };
}

/**
 * Starts the servers, and the API and the workers in this process.
 *
 * @param variables      of the configuration
 * @param changeAdapters returns the adapters that the workers get
 */
export async function startStack(
  surroundings: Surroundings,
  variables: Record<string, string>,
  changeAdapters: (adapters: Adapters) => Adapters = (adapters) => adapters,
) {
  const { edge, adapters, pids } = await openStack(surroundings, variables);
  const workers = await startWorkers(edge, changeAdapters(adapters));
  const api = await startApi(edge, adapters);
  edge.readiness.markServing();
  surroundings.cleanups.push(async () => {
    await api.stop();
    await workers.stop();
  });
  return { url: api.url, edge, adapters, pids };
}
