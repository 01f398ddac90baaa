import { Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { createActivityInterceptor } from '../activities/interceptor.ts';
import type { Adapters } from '../wiring/adapters.ts';
import { agents } from '../agents/index.ts';
import { agentQueue, systemQueue } from '../contract/ids.ts';
import { checkAgentNames } from '../runtime/agent-settings.ts';
import { defaultModelOf } from '../runtime/config.ts';
import { checkApprovals, checkModels, settingsOf } from './settings.ts';
import type { Edge } from '../runtime/edge.ts';
import { bundleId, workflowBundle } from './bundle.ts';
import { allQueues } from './queues.ts';
import { ensureSchedules } from './schedules.ts';

// For the one-machine stack, whose workers and API share one set of adapters.
export { createAdapters } from '../wiring/adapters.ts';

export type RunningWorkers = {
  queues: string[];
  /** Rejects when a worker ends without being asked to. */
  failed: Promise<never>;
  /** Takes no more work, lets running activities finish within the grace time, then cancels them. */
  stop(): Promise<void>;
};

type WorkerEdge = Pick<Edge, 'config' | 'log' | 'connection' | 'client' | 'metrics'>;
/** What a test may put in place of the registry's agents. */
type Overrides = { agents?: typeof agents };

/** The composition root of the workers: one Temporal worker a queue, all on one connection. */
export async function startWorkers(
  edge: WorkerEdge,
  adapters: Adapters,
  queues: readonly string[] = allQueues,
  overrides: Overrides = {},
): Promise<RunningWorkers> {
  const { config, log, connection, client, metrics } = edge;
  const names = Object.keys(overrides.agents ?? agents);
  checkAgentNames(config, names);
  checkModels(
    config,
    adapters,
    names.filter((name) => queues.includes(agentQueue(name))),
  );
  for (const free of checkApprovals(config, overrides.agents ?? agents, adapters.tools))
    log.warn(free, 'a tool that changes something waits for nobody: no approval rule of its agent speaks of it');
  const activities = createActivities({
    ...adapters,
    agents: overrides.agents ?? agents,
    ...settingsOf(config, adapters.catalog),
    metrics,
    log,
  });
  const bundle = await workflowBundle(config, log);
  const workers = await Promise.all(
    queues.map((taskQueue) =>
      Worker.create({
        connection,
        namespace: config.TEMPORAL_NAMESPACE,
        taskQueue,
        workflowBundle: bundle,
        // Each event of a history names it; the default takes 85 bytes.
        buildId: bundleId(bundle),
        activities,
        interceptors: { activity: [() => ({ inbound: createActivityInterceptor(log) })] },
        maxConcurrentActivityTaskExecutions: config.ALFRED_MAX_CONCURRENT_ACTIVITIES,
        // After a crash its workflows wait this long for the dead process before another takes them.
        stickyQueueScheduleToStartTimeout: '1 s',
        // Cancellation reaches an activity with its heartbeats.
        maxHeartbeatThrottleInterval: '1 s',
        defaultHeartbeatThrottleInterval: '1 s',
        shutdownGraceTime: config.ALFRED_SHUTDOWN_GRACE_S * 1_000,
        // Activities that ignore their cancellation do not hold the process for ever.
        shutdownForceTime: (config.ALFRED_SHUTDOWN_GRACE_S + 5) * 1_000,
      }),
    ),
  );
  const runs = workers.map((worker) => worker.run());
  if (queues.includes(systemQueue)) await ensureSchedules(client, config);
  log.info({ queues, model: defaultModelOf(config) }, 'workers run');

  const failed = Promise.race(runs.map((run) => run.then(() => new Promise<never>(() => {}))));
  failed.catch(() => {});
  return {
    queues: [...queues],
    failed,
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.allSettled(runs);
    },
  };
}
