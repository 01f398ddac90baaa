import { ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { createTemporalSchedules } from '../adapters/temporal/temporal-schedules.ts';
import type { Workflows } from '../adapters/temporal/start-workflow.ts';
import { sweepScheduleId, systemQueue } from '../contract/ids.ts';
import type { Config } from '../runtime/config.ts';

/** A worker that starts has more time than a caller who waits for a response. */
const startDeadlineMs = 30_000;

/**
 * Creates or updates the schedule of the sweep. A sweep runs for an hour, and its schedule starts the next one.
 * Idempotent, also when several workers start at once.
 */
export async function ensureSchedules(client: Client, config: Pick<Config, 'ALFRED_SWEEP_INTERVAL_S'>): Promise<void> {
  await createTemporalSchedules(client, startDeadlineMs).ensure(sweepScheduleId, {
    spec: { intervals: [{ every: config.ALFRED_SWEEP_INTERVAL_S * 1_000 }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'sweepTasksWorkflow' satisfies keyof Workflows,
      workflowId: sweepScheduleId,
      taskQueue: systemQueue,
      // One that no worker can go on with, after a return to an older version, makes room for the next.
      workflowRunTimeout: '3 hours',
      args: [{ everyS: config.ALFRED_SWEEP_INTERVAL_S }] satisfies Parameters<Workflows['sweepTasksWorkflow']>,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 min' },
  });
}
