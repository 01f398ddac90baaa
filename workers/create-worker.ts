import { Worker, type WorkflowBundle } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { createActivityInterceptor } from '../activities/interceptor.ts';
import type { Edge } from '../runtime/edge.ts';
import { isAgentQueue } from '../contract/ids.ts';
import { graceMsOf } from '../runtime/grace.ts';
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
) => {
  const graceMs = graceMsOf(config, isAgentQueue(taskQueue) ? 'modelCalls' : 'other');
  return Worker.create({
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
    // A worker that is busy for a moment keeps its workflows: without its cache it would replay them. After a crash its
    // workflows wait this long for the dead process, unless a model call finds out that it is dead.
    stickyQueueScheduleToStartTimeout: '5 s',
    // Activities learn of their cancellation when they heartbeat.
    maxHeartbeatThrottleInterval: '1 s',
    defaultHeartbeatThrottleInterval: '1 s',
    shutdownGraceTime: graceMs,
    // Activities that ignore their cancellation must not keep the process alive.
    shutdownForceTime: graceMs + 5_000,
  });
};
