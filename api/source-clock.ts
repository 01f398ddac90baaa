import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { documentsQueue, sourceScheduleId } from '../contract/ids.ts';
import type { SourceRef } from '../contract/references.ts';
import { tenantKey } from '../contract/task-start.ts';
import type { sourceDueWorkflow } from '../workflows/source/workflow.ts';
import { inTime } from '../runtime/in-time.ts';
import { temporalDeadlineMs } from './start-workflow.ts';

/** Temporal's schedules that ask for syncs; everything is safe to repeat. */
export const createSourceClock = (client: Client) => ({
  /** @param everyS seconds from one sync to the next */
  async create({ sourceId, tenant, subject }: SourceRef, everyS: number): Promise<void> {
    const scheduleId = sourceScheduleId(sourceId);
    try {
      await inTime(client, temporalDeadlineMs, () =>
        client.schedule.create({
          scheduleId,
          spec: { intervals: [{ every: everyS * 1_000 }] },
          action: {
            type: 'startWorkflow',
            workflowType: 'sourceDueWorkflow' satisfies (typeof sourceDueWorkflow)['name'],
            // Temporal adds the time of each run; the sync itself is one workflow a source.
            workflowId: scheduleId,
            taskQueue: documentsQueue,
            args: [{ sourceId, tenant, subject }] satisfies Parameters<typeof sourceDueWorkflow>,
            workflowTaskTimeout: '5s',
            typedSearchAttributes: [{ key: tenantKey, value: tenant }],
          },
          policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 min' },
          typedSearchAttributes: [{ key: tenantKey, value: tenant }],
        }),
      );
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  },

  /** One that is not there is a success. */
  async delete(sourceId: string): Promise<void> {
    try {
      await inTime(client, temporalDeadlineMs, () => client.schedule.getHandle(sourceScheduleId(sourceId)).delete());
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  },
});
export type SourceClock = ReturnType<typeof createSourceClock>;
