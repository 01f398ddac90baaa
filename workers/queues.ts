import { agents, type Agents } from '../agents/index.ts';
import { agentQueue, documentsQueue, systemQueue } from '../contract/ids.ts';
import type { Tool } from '../contract/ports/index.ts';
import { ConfigError, type Config } from '../runtime/config.ts';

/** Every task queue that exists. */
export const allQueues: readonly string[] = [...Object.keys(agents).map(agentQueue), documentsQueue, systemQueue];

/**
 * The task queues that a worker process serves: those of `--queue`, else those of ALFRED_QUEUES, else all.
 *
 * @throws ConfigError that names the unknown queue and the known ones
 */
export function queuesOf(requested: string[], config: Pick<Config, 'ALFRED_QUEUES'>): string[] {
  const chosen = requested.length > 0 ? requested : (config.ALFRED_QUEUES?.split(',') ?? [...allQueues]);
  const unknown = chosen.filter((queue) => !allQueues.includes(queue));
  if (unknown.length > 0)
    throw new ConfigError(`There is no task queue "${unknown.join('", "')}". The queues are: ${allQueues.join(', ')}.`);
  return [...new Set(chosen)];
}

/** The queues of the agents that have a tool which searches. */
export const queuesThatSearch = (agents: Agents, tools: Record<string, Tool>): string[] =>
  Object.entries(agents)
    .filter(([, agent]) => agent.tools.some((name) => tools[name]?.needsIndex))
    .map(([name]) => agentQueue(name));
