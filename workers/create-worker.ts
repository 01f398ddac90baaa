import { Worker, type WorkflowBundle } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { createActivityInterceptor } from '../activities/interceptor.ts';
import type { Edge } from '../runtime/edge.ts';
import { bundleId } from './bundle.ts';

type Options = Pick<Edge, 'config' | 'log' | 'connection'> & {
  activities: Activities;
  bundle: WorkflowBundle;
  /** False: it runs workflows with their local activities only. */
  takesActivities: boolean;
};

/** One Temporal worker for one task queue; it polls once `run` is called. */
export const createWorker = (
  taskQueue: string,
  { config, log, connection, activities, bundle, takesActivities }: Options,
) =>
  Worker.create({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue,
    workflowBundle: bundle,
    // Each event of a history holds it; the default takes 85 bytes.
    buildId: bundleId(bundle),
    activities,
    enableNonLocalActivities: takesActivities,
    interceptors: { activity: [() => ({ inbound: createActivityInterceptor(log) })] },
    maxConcurrentActivityTaskExecutions: config.ALFRED_MAX_CONCURRENT_ACTIVITIES,
    // After a crash its workflows wait this long for the dead process before another worker takes them.
    stickyQueueScheduleToStartTimeout: '1 s',
    // Activities learn of their cancellation when they heartbeat.
    maxHeartbeatThrottleInterval: '1 s',
    defaultHeartbeatThrottleInterval: '1 s',
    shutdownGraceTime: config.ALFRED_SHUTDOWN_GRACE_S * 1_000,
    // Activities that ignore their cancellation must not keep the process alive.
    shutdownForceTime: (config.ALFRED_SHUTDOWN_GRACE_S + 5) * 1_000,
  });
