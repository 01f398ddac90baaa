import { agents as ownAgents } from '../agents/index.ts';
import { loadAgents } from '../agents/packs/load-agents.ts';
import { createAdapters } from '../wiring/adapters.ts';
import { entryArguments } from '../runtime/entry-arguments.ts';
import { openEdge } from '../runtime/edge.ts';
import { startHealthServer } from '../runtime/health-server.ts';
import { runMain } from '../runtime/main.ts';
import { checkNamespaceAtStart } from '../runtime/temporal-namespace.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { startWorkers } from './compose.ts';
import { packQueues, queuesFor, queuesOf } from './queues.ts';

const usage = `node workers/start.mjs [options]      runs workers in a process of their own

  --queue <name>      serve this task queue; more than once for several; default: ALFRED_QUEUES, else all
  --help              this text

Queues: ${queuesFor(ownAgents).join(', ')},
agent-<name> of each agent in ALFRED_AGENT_PACKS, and ${packQueues} for all of those
It needs DATABASE_URL and TEMPORAL_ADDRESS. All variables: docs/reference/configuration.md
`;

const { queue } = entryArguments(usage, { queue: { type: 'string', multiple: true, default: [] } });

await runMain(async (config) => {
  // Many workers may write into one log: the role says which queues each serves.
  const wanted = queue.length > 0 ? queue.join(',') : (config.ALFRED_QUEUES ?? 'worker');
  const edge = await openEdge(config, wanted);
  const known = await loadAgents(edge);
  const queues = queuesOf(queue, config, known);
  await checkNamespaceAtStart({ db: edge.postgres.db, client: edge.client, config }, edge.log);
  const health = await startHealthServer(edge);
  const adapters = createAdapters(edge);
  const workers = await startWorkers(edge, adapters, queues);
  edge.readiness.markServing();
  edge.metrics.coldStart.set(process.uptime());
  edge.log.info({ health: health.port }, 'ready');

  const stop = async () => {
    edge.readiness.markDraining();
    await workers.stop();
    await health.close();
    await adapters.close();
    await edge.close();
  };
  onShutdown(edge.log, stop);
  workers.failed.catch(async (error: unknown) => {
    edge.log.fatal({ err: error }, 'a worker failed');
    await stop().catch(() => {});
    process.exit(1);
  });
});
