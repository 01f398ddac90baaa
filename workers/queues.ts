import { toolOfAgent, type Agents } from '../agents/index.ts';
import type { KnownAgents } from '../agents/packs/load-agents.ts';
import { agentQueue, documentsQueue, systemQueue } from '../contract/ids.ts';
import type { Tool } from '../contract/ports/index.ts';
import { ConfigError, type Config } from '../runtime/config.ts';

/** Every task queue, by the agents that there are. */
export const queuesFor = (agents: Agents): string[] => [
  ...Object.keys(agents).map(agentQueue),
  documentsQueue,
  systemQueue,
];

/** Stands for the queues of all agents that are not ours: those of packs, and those that work elsewhere. */
export const packQueues = 'packs';

/**
 * The task queues that a worker process serves: those of `--queue`, else those of ALFRED_QUEUES, else all. The queue of
 * an agent of a refused pack is left out.
 *
 * @throws ConfigError that names the unknown queue and the known ones, or says why nothing is left to serve
 */
export function queuesOf(
  requested: readonly string[],
  config: Pick<Config, 'ALFRED_QUEUES'>,
  { agents, refused }: Pick<KnownAgents, 'agents' | 'refused'>,
): string[] {
  const all = queuesFor(agents);
  const chosen = requested.length > 0 ? requested : (config.ALFRED_QUEUES?.split(',') ?? all);
  const ofPacks = Object.keys(agents).flatMap((name) =>
    (agents[name]?.pack ?? agents[name]?.remote) ? [agentQueue(name)] : [],
  );
  const wanted = chosen.flatMap((queue) => (queue === packQueues ? ofPacks : [queue]));
  const isRefused = (queue: string) =>
    refused.some(({ agents: names }) => names === undefined || names.map(agentQueue).includes(queue));
  const unknown = wanted.filter((queue) => !all.includes(queue));
  const wrong = unknown.filter((queue) => !isRefused(queue));
  if (wrong.length > 0)
    throw new ConfigError(`There is no task queue "${wrong.join('", "')}". The queues are: ${all.join(', ')}.`);
  const served = wanted.filter((queue) => all.includes(queue));
  if (served.length === 0) throw new ConfigError(`There is no task queue to serve here. ${describe(refused)}`);
  return [...new Set(served)];
}

const describe = (refused: KnownAgents['refused']) =>
  refused.length === 0
    ? 'ALFRED_AGENT_PACKS names no pack.'
    : refused.map(({ source, reason }) => `The pack ${source} is refused: ${reason}.`).join(' ');

/** The queues of the agents that have a tool which searches. */
export const queuesThatSearch = (agents: Agents, tools: Record<string, Tool>): string[] =>
  Object.entries(agents)
    .filter(([, agent]) => agent.tools.some((name) => toolOfAgent(agent, tools, name)?.needsIndex))
    .map(([name]) => agentQueue(name));
