import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { documentsQueue, sourceScheduleId } from '../../contract/ids.ts';
import type { SourceRef } from '../../contract/references.ts';
import { tenantKey } from '../../contract/task-start.ts';
import type { sourceDueWorkflow } from '../../workflows/source/workflow.ts';
import { inTime } from '../../runtime/in-time.ts';
import { temporalDeadlineMs } from './start-workflow.ts';

/** Temporal's schedules that ask for syncs; everything is safe to repeat. */
export const createSourceClock = (client: Client) => {
  /** @param everyS seconds from one sync to the next */
  const create = async ({ sourceId, tenant, subject }: SourceRef, everyS: number): Promise<void> => {
    const scheduleId = sourceScheduleId(sourceId);
    try {
      await inTime(client, temporalDeadlineMs, () =>
        client.schedule.create({
          scheduleId,
          spec: specOf(everyS),
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
  };

  /** One that is not there is a success. */
  const remove = async (sourceId: string): Promise<void> => {
    try {
      await inTime(client, temporalDeadlineMs, () => client.schedule.getHandle(sourceScheduleId(sourceId)).delete());
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  };

  /** Makes the schedule what the source says, also when somebody deleted it. @param everyS null: none */
  const put = async (source: SourceRef, everyS: number | null): Promise<void> => {
    if (everyS === null) return remove(source.sourceId);
    try {
      await inTime(client, temporalDeadlineMs, () =>
        client.schedule
          .getHandle(sourceScheduleId(source.sourceId))
          .update((schedule) => ({ ...schedule, spec: specOf(everyS) })),
      );
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      await create(source, everyS);
    }
  };

  return { create, put, delete: remove };
};

const specOf = (everyS: number) => ({ intervals: [{ every: everyS * 1_000 }] });

export type SourceClock = ReturnType<typeof createSourceClock>;
