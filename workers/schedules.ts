import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { sweepScheduleId, systemQueue } from '../contract/ids.ts';
import type { Config } from '../runtime/config.ts';
import type { sweepTasksWorkflow } from '../workflows/sweep/workflow.ts';

/** Creates or updates the schedules that keep house. Safe to repeat, and by several workers at once. */
export async function ensureSchedules(client: Client, config: Pick<Config, 'ALFRED_SWEEP_INTERVAL_S'>): Promise<void> {
  const schedule = {
    spec: { intervals: [{ every: config.ALFRED_SWEEP_INTERVAL_S * 1_000 }] },
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'sweepTasksWorkflow' satisfies (typeof sweepTasksWorkflow)['name'],
      workflowId: sweepScheduleId,
      taskQueue: systemQueue,
      args: [],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 min' as const },
  };
  try {
    await client.schedule.create({ scheduleId: sweepScheduleId, ...schedule });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(sweepScheduleId).update((current) => ({ ...schedule, state: current.state }));
  }
}
