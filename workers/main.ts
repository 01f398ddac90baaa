import { parseArgs } from 'node:util';
import { createAdapters } from '../wiring/adapters.ts';
import { openEdge } from '../runtime/edge.ts';
import { startHealthServer } from '../runtime/health-server.ts';
import { runMain } from '../runtime/main.ts';
import { checkNamespaceAtStart } from '../runtime/temporal-namespace.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { startWorkers } from './compose.ts';
import { allQueues, queuesOf } from './queues.ts';

// `node workers/main.ts --queue agent-knowledge --queue documents`
const { values } = parseArgs({ options: { queue: { type: 'string', multiple: true, default: [] } } });

await runMain(async (config) => {
  const queues = queuesOf(values.queue, config);
  // Many workers may write into one log: the role says which queues each serves.
  const edge = await openEdge(config, queues.length < allQueues.length ? queues.join(',') : 'worker');
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
