import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ServiceError,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import type { ScheduleRow } from '../../contract/ports/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import { scheduleWorkflowId, systemQueue } from '../../contract/ids.ts';
import type { Schedule } from '../../contract/schedule.ts';
import { tenantKey } from '../../contract/task-start.ts';
import type { scheduledRunWorkflow } from '../../workflows/schedule/workflow.ts';
import { inTime } from '../../runtime/in-time.ts';
import { InvalidRequest } from '../../api/http/problems.ts';
import { temporalDeadlineMs } from './start-workflow.ts';

/** A reader waits no longer than this for Temporal's word. */
const describeDeadlineMs = 1_000;
/** Times of a schedule that are shown. */
const shownTimes = 5;
/** gRPC's INVALID_ARGUMENT. */
const grpcInvalid = 3;

/** What Temporal says about a schedule. */
export type Seen =
  | { state: 'scheduled'; paused: boolean; note: string; nextRuns: string[] }
  | { state: Exclude<Schedule['state'], 'scheduled'> };

/** Keeps Temporal's schedules as our rows say; everything is safe to repeat. */
export const createTemporalSchedules = (client: Client) => {
  const call = <T>(run: () => Promise<T>) => inTime(client, temporalDeadlineMs, run);
  const handleOf = (id: string) => client.schedule.getHandle(scheduleWorkflowId(id));

  const create = async (row: ScheduleRow): Promise<void> => {
    try {
      await call(() =>
        client.schedule.create({ scheduleId: scheduleWorkflowId(row.id), ...definitionOf(row), state: stateOf(row) }),
      );
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw refusalOf(error);
    }
  };

  return {
    /** @throws InvalidRequest with the server's words when it refuses the timing */
    create,

    /**
     * Makes the schedule what its row says, also when somebody deleted it.
     *
     * @param setPause whether the row decides if it is paused; else it stays as it is, for Temporal may have paused it
     * @throws InvalidRequest as `create`
     */
    async put(row: ScheduleRow, setPause: boolean): Promise<void> {
      try {
        await call(() =>
          handleOf(row.id).update(({ state }) => ({
            ...definitionOf(row),
            state: { ...state, ...(setPause ? stateOf(row) : {}) },
          })),
        );
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw refusalOf(error);
        await create(row);
      }
    },

    /** One that is not there is a success. */
    delete: async (id: string): Promise<void> => {
      try {
        await call(() => handleOf(id).delete());
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },

    /** A run now, also while it is paused; its overlap policy decides what that means. @throws AlfredError `schedule_missing` */
    async trigger({ id, timing }: ScheduleRow): Promise<void> {
      try {
        await call(() => handleOf(id).trigger(overlapOf(timing.overlap)));
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) throw new AlfredError('schedule_missing');
        throw error;
      }
    },

    async look(id: string): Promise<Seen> {
      try {
        const { state, info } = await inTime(client, describeDeadlineMs, () => handleOf(id).describe());
        return {
          state: 'scheduled',
          paused: state.paused,
          note: state.note ?? '',
          nextRuns: state.paused ? [] : info.nextActionTimes.slice(0, shownTimes).map((time) => time.toISOString()),
        };
      } catch (error) {
        return { state: error instanceof ScheduleNotFoundError ? 'missing' : 'unknown' };
      }
    },
  };
};
export type TemporalSchedules = ReturnType<typeof createTemporalSchedules>;

/** Names and notes stay with us: Temporal gets times and ids. */
const definitionOf = ({ id, tenant, subject, timing }: ScheduleRow) => ({
  spec: {
    ...(timing.cron === undefined ? {} : { cronExpressions: [timing.cron], timezone: timing.timeZone }),
    ...(timing.everyS === undefined
      ? {}
      : { intervals: [{ every: timing.everyS * 1_000, offset: (timing.offsetS ?? 0) * 1_000 }] }),
    ...(timing.startAt === undefined ? {} : { startAt: new Date(timing.startAt) }),
    ...(timing.endAt === undefined ? {} : { endAt: new Date(timing.endAt) }),
    jitter: (timing.jitterS ?? 0) * 1_000,
  },
  action: {
    type: 'startWorkflow' as const,
    workflowType: 'scheduledRunWorkflow' satisfies (typeof scheduledRunWorkflow)['name'],
    // Temporal adds the time of each run.
    workflowId: scheduleWorkflowId(id),
    taskQueue: systemQueue,
    args: [{ scheduleId: id, tenant, subject }] satisfies Parameters<typeof scheduledRunWorkflow>,
    workflowTaskTimeout: '5s' as const,
    typedSearchAttributes: [{ key: tenantKey, value: tenant }],
    staticSummary: `schedule ${id}`,
  },
  policies: {
    overlap: overlapOf(timing.overlap),
    catchupWindow: timing.catchupWindowS * 1_000,
    pauseOnFailure: timing.pauseOnFailure,
  },
  typedSearchAttributes: [{ key: tenantKey, value: tenant }],
});

const stateOf = ({ paused }: ScheduleRow): NonNullable<ScheduleOptions['state']> => ({
  paused,
  note: paused ? 'Paused through Alfred.' : '',
});

const overlapOf = (overlap: ScheduleRow['timing']['overlap']) => overlap.toUpperCase() as Uppercase<typeof overlap>;

/** What Temporal says about a timing that it does not take, as our refusal. */
function refusalOf(error: unknown): unknown {
  const cause = error instanceof ServiceError ? (error.cause as { code?: unknown; message?: string }) : undefined;
  if (cause?.code !== grpcInvalid) return error;
  return new InvalidRequest([{ path: 'timing', message: cause.message ?? 'is refused by Temporal' }]);
}
