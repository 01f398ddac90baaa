import type { Agents } from '../agents/index.ts';
import { agentQueue } from '../contract/ids.ts';
import { ConfigError } from '../runtime/config.ts';
import type { Edge } from '../runtime/edge.ts';
import type { Adapters } from '../wiring/adapters.ts';
import { checkModels } from './settings.ts';

type WorkerEdge = Pick<Edge, 'config' | 'log'> & Partial<Pick<Edge, 'readiness'>>;

/**
 * Leaves out the queues of agents of others that cannot work in this process: a variable of a tool or a secret is not
 * set, or their model is not configured. Their tasks wait for a worker that has both, and everything else is served.
 *
 * @returns the other queues
 * @throws ConfigError when the model of an agent of ours cannot be called
 */
export function leaveOutUnfit(
  { config, log, readiness }: WorkerEdge,
  adapters: Pick<Adapters, 'catalog' | 'providers'>,
  { agents, queues }: { agents: Agents; queues: readonly string[] },
): string[] {
  const unfit = new Map<string, string>();
  for (const [name, { pack, remote }] of Object.entries(agents)) {
    if (!queues.includes(agentQueue(name))) continue;
    const { missingVariables = [] } = pack ?? remote ?? {};
    const problem =
      missingVariables.length > 0 ? missing(missingVariables, pack ? 'its tools need' : 'it needs') : undefined;
    try {
      if (!remote) checkModels(config, adapters, [name]);
      if (problem !== undefined) unfit.set(name, problem);
    } catch (error) {
      if (!pack || !(error instanceof ConfigError)) throw error;
      unfit.set(name, error.message);
    }
  }
  for (const [agent, reason] of unfit) log.error({ agent, reason }, 'this process does not serve an agent of others');
  if (unfit.size > 0) {
    const detail = [...unfit].map(([agent, reason]) => `${agent} is not served: ${reason}`).join(' ');
    readiness?.addWarning('pack_agents', async () => detail);
  }
  const left = [...unfit.keys()].map(agentQueue);
  return queues.filter((queue) => !left.includes(queue));
}

const missing = (variables: readonly string[], needs: string) =>
  `${variables.join(' and ')} ${variables.length > 1 ? 'are' : 'is'} not set, and ${needs} ${variables.length > 1 ? 'them' : 'it'}.`;
