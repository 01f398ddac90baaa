import { createTurns } from '../activities/acting/turns.ts';
import { createWorkerProcess } from '../activities/acting/worker-process.ts';
import { createActivities } from '../activities/index.ts';
import { checkTools } from '../agents/check-tools.ts';
import type { Agents } from '../agents/index.ts';
import { loadAgents } from '../agents/packs/load-agents.ts';
import { createTools } from '../agents/tools/index.ts';
import { agentQueue, systemQueue } from '../contract/ids.ts';
import type { Tool } from '../contract/ports/index.ts';
import { defaultModelOf } from '../runtime/config.ts';
import type { Edge } from '../runtime/edge.ts';
import { graceMsOf } from '../runtime/grace.ts';
import { mcpToolsIn, type McpServers } from '../runtime/mcp-settings.ts';
import type { Adapters } from '../wiring/adapters.ts';
import { workflowBundle } from './bundle.ts';
import { createConditionWatch } from '../runtime/condition-watch.ts';
import { createWorker } from './create-worker.ts';
import { queuesFor, queuesThatSearch } from './queues.ts';
import { ensureSchedules } from './schedules.ts';
import { serveQueue } from './serve-queue.ts';
import { settingsOf } from './settings.ts';
import { leaveOutUnfit } from './unfit-agents.ts';

// For the one-machine stack, whose workers and API share one set of adapters.
export { createAdapters } from '../wiring/adapters.ts';

export type RunningWorkers = {
  queues: string[];
  /** Rejects when a worker ends without being asked to. */
  failed: Promise<never>;
  /** Takes no more work, lets running activities finish within the grace time, then cancels them. */
  stop(): Promise<void>;
};

type WorkerEdge = Pick<Edge, 'config' | 'log' | 'connection' | 'client' | 'metrics'> & Partial<Pick<Edge, 'readiness'>>;

/**
 * The composition root of the workers: one Temporal worker per queue, all on one connection.
 *
 * @param adapters `tools` replaces the tools that the agents share
 * @param options  `agents` replaces the registered agents, `checkEveryMs` the pause between checks of the index folder
 * @throws ConfigError when the configuration names an agent, a model or a tool that does not exist, or when a tool that
 *   changes something has no approval rule
 */
export async function startWorkers(
  givenEdge: WorkerEdge,
  adapters: Adapters & { tools?: Record<string, Tool> },
  requested?: readonly string[],
  { agents: givenAgents, checkEveryMs }: { agents?: Agents; checkEveryMs?: number } = {},
): Promise<RunningWorkers> {
  const { agents, config } = givenAgents ? { agents: givenAgents, ...givenEdge } : await loadAgents(givenEdge);
  const edge = { ...givenEdge, config };
  const { log, client, metrics } = edge;
  const tools = adapters.tools ?? createTools(config, adapters);
  checkTools(config, agents, tools);
  const queues = leaveOutUnfit(edge, adapters, { agents, queues: requested ?? queuesFor(agents) });
  const settings = settingsOf(config, adapters);
  const draining = new AbortController();
  const activities = createActivities({
    ...adapters,
    ...settings,
    agents,
    tools,
    metrics,
    log,
    draining: draining.signal,
    callTurns: createTurns(),
    workerProcess: createWorkerProcess(),
  });
  const bundle = await workflowBundle(config, log);
  const searching = queuesThatSearch(agents, tools).filter((queue) => queues.includes(queue));
  const indexFolder = searching.length > 0 ? await watchIndexFolder(edge, adapters, checkEveryMs) : undefined;
  await adapters.mcpServers.start(mcpServersFor(config.ALFRED_MCP_SERVERS, queues));
  adapters.leases.open();
  const workers = await Promise.all(
    queues.map((queue) =>
      serveQueue((takesActivities) => createWorker(queue, { ...edge, activities, bundle, takesActivities }), {
        condition: searching.includes(queue) ? indexFolder : undefined,
        log,
        queue,
      }),
    ),
  );
  const runs = workers.map(({ run }) => run);
  if (queues.includes(systemQueue)) await ensureSchedules(client, config);
  log.info({ queues, model: defaultModelOf(config) }, 'workers run');

  // A run that ends because `stop` was called must not reject, so it stays pending.
  const failed = Promise.race(runs.map((run) => run.then(() => new Promise<never>(() => {}))));
  failed.catch(() => {});
  return {
    queues: [...queues],
    failed,
    async stop() {
      indexFolder?.close();
      for (const worker of workers) worker.stop();
      // An activity that Temporal stopped waiting for before does not hear of the shutdown.
      const endGrace = () => draining.abort(new Error('WORKER_SHUTDOWN'));
      const timer = setTimeout(endGrace, graceMsOf(config, 'modelCalls'));
      await Promise.allSettled(runs);
      clearTimeout(timer);
      await adapters.mcpServers.stop();
    },
  };
}

/** The MCP servers whose tools agents of these queues may call. */
const mcpServersFor = (servers: McpServers | undefined, queues: readonly string[]): string[] => [
  ...new Set(
    mcpToolsIn(servers)
      .filter(({ settings }) => settings.agents.some((agent) => queues.includes(agentQueue(agent))))
      .map(({ server }) => server),
  ),
];

/** Without its index folder a process is not ready, and its agents that search take no work. */
async function watchIndexFolder(
  { log, readiness }: WorkerEdge,
  { checkIndexFolder: check }: Adapters,
  everyMs?: number,
) {
  if (!check) return undefined;
  readiness?.require('data_folder', check);
  const watch = createConditionWatch(check, { log, name: 'data_folder', everyMs });
  await watch.start();
  return watch;
}
