import { ScheduleNotFoundError, ServiceError, type Client } from '@temporalio/client';
import { AlfredError, InvalidRequest } from '../../contract/errors.ts';
import { scheduleWorkflowId, systemQueue } from '../../contract/ids.ts';
import type { ScheduleControl, ScheduleRow, Schedules } from '../../contract/ports/index.ts';
import { ownerSearchAttributes } from '../../contract/task-start.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { callDeadlineMs } from './deadlines.ts';
import { keepInLine } from './keep-in-line.ts';
import { workflowTaskTimeout, type Workflows } from './start-workflow.ts';
import type { ScheduleDefinition, ScheduleState, TemporalSchedules } from './temporal-schedules.ts';

/** A schedule is described for people, who can wait a little longer than for a task. In milliseconds. */
const describeDeadlineMs = 1_000;
/** How many future runs of a schedule are shown. */
const shownRuns = 5;
/** gRPC's status INVALID_ARGUMENT. */
const grpcInvalidArgument = 3;

export type ScheduleControlDeps = { client: Client; schedules: Schedules };
type Deps = ScheduleControlDeps & { temporalSchedules: TemporalSchedules };

export const createScheduleControl = ({ client, schedules, temporalSchedules }: Deps): ScheduleControl => {
  /** An existing schedule stays paused or not unless the change says so: Temporal pauses one after a failure. */
  const send = (committed: ScheduleRow, setsPaused: boolean) =>
    keepInLine(
      temporalPartOf(committed),
      async () => {
        const row = await schedules.get(committed, committed.id);
        return row && temporalPartOf(row);
      },
      async (row) => {
        if (!row) return temporalSchedules.delete(scheduleWorkflowId(committed.id));
        const setState = setsPaused || row.paused !== committed.paused;
        const isSent = await translateRefusal(
          temporalSchedules.ensure(scheduleWorkflowId(row.id), userScheduleDefinition(row), {
            state: userScheduleState(row),
            // An earlier change may not have arrived.
            setState: (current) => setState || missesPause(row, current),
          }),
        );
        if (isSent) await noteSent(row);
      },
    );

  /** When it cannot be noted, the sweep sends the schedule once more. */
  const noteSent = ({ id, updatedAt, ...scope }: TemporalPart) =>
    schedules.markSent(scope, id, updatedAt).catch(() => undefined);

  return {
    async create(principal, request, options) {
      const row = await schedules.create(principal, request, options);
      try {
        const isCreated = await translateRefusal(
          temporalSchedules.create(scheduleWorkflowId(row.id), userScheduleDefinition(row), userScheduleState(row)),
        );
        if (isCreated) await noteSent(row);
      } catch (error) {
        if (error instanceof InvalidRequest) await schedules.discard(principal, row.id);
        throw error;
      }
      return row;
    },

    async change(reach, scheduleId, change) {
      const changed = await schedules.change(reach, scheduleId, change);
      if (!changed) return undefined;
      try {
        await send(changed.row, change.paused !== undefined);
      } catch (error) {
        // What Temporal did not take is not shown as changed, unless another change was made meanwhile.
        const { name, timing, action, paused, note } = changed.before;
        const earlier = { name, timing, action, paused, note: note ?? null };
        await schedules.change(reach, scheduleId, earlier, { ifUpdatedAt: changed.row.updatedAt });
        throw error;
      }
      return changed.row;
    },

    async trigger(scope, scheduleId) {
      const row = await schedules.get(scope, scheduleId);
      if (!row) return undefined;
      const handle = client.schedule.getHandle(scheduleWorkflowId(scheduleId));
      try {
        await withTemporalTimeout(client, callDeadlineMs, () => handle.trigger(overlapOf(row.timing.overlap)));
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) throw new AlfredError('schedule_missing');
        throw error;
      }
      return row;
    },

    async delete(reach, scheduleId) {
      const row = await schedules.get(reach, scheduleId);
      if (!row) return false;
      const deleteInTemporal = () => temporalSchedules.delete(scheduleWorkflowId(row.id));
      // First in Temporal: while the row is there, a failed request can be repeated.
      await deleteInTemporal();
      const isDeleted = await schedules.delete(reach, row.id);
      // A change at the same time may have made it again. If that fails, its runs find no row and do nothing.
      await deleteInTemporal().catch(() => undefined);
      return isDeleted;
    },

    async describe(scheduleId) {
      const handle = client.schedule.getHandle(scheduleWorkflowId(scheduleId));
      try {
        const { state, info } = await withTemporalTimeout(client, describeDeadlineMs, () => handle.describe());
        return {
          state: 'scheduled',
          paused: state.paused,
          note: state.note ?? '',
          nextRuns: state.paused ? [] : info.nextActionTimes.slice(0, shownRuns).map((time) => time.toISOString()),
        };
      } catch (error) {
        return { state: error instanceof ScheduleNotFoundError ? 'missing' : 'unknown' };
      }
    },
  };
};

/** What Temporal knows of a schedule, and since when the row says so. */
const temporalPartOf = ({ id, tenant, subject, timing, paused, updatedAt }: ScheduleRow) => ({
  id,
  tenant,
  subject,
  timing,
  paused,
  updatedAt,
});
type TemporalPart = ReturnType<typeof temporalPartOf>;

/** Temporal gets times and ids only: names, notes and questions stay in the row. */
export const userScheduleDefinition = ({ id, tenant, subject, timing }: TemporalPart): ScheduleDefinition => ({
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
    type: 'startWorkflow',
    workflowType: 'scheduledRunWorkflow' satisfies keyof Workflows,
    // Temporal appends the time of each run.
    workflowId: scheduleWorkflowId(id),
    taskQueue: systemQueue,
    args: [{ scheduleId: id, tenant, subject }] satisfies Parameters<Workflows['scheduledRunWorkflow']>,
    workflowTaskTimeout,
    typedSearchAttributes: ownerSearchAttributes({ tenant }),
    staticSummary: `schedule ${id}`,
  },
  policies: {
    overlap: overlapOf(timing.overlap),
    catchupWindow: timing.catchupWindowS * 1_000,
    pauseOnFailure: timing.pauseOnFailure,
  },
  typedSearchAttributes: ownerSearchAttributes({ tenant }),
});

/** Whether a schedule that is created is paused. */
export const userScheduleState = ({ paused }: Pick<ScheduleRow, 'paused'>): ScheduleState => ({
  paused,
  note: paused ? pausedNote : '',
});

const pausedNote = 'Paused through Alfred.';

/**
 * Whether Temporal has missed that the row was paused, or is no longer. A pause with another note is Temporal's own,
 * after a failure, or a person's: it stays.
 */
export const missesPause = (row: Pick<ScheduleRow, 'paused'>, current: ScheduleState): boolean =>
  row.paused ? current.paused !== true : current.paused === true && current.note === pausedNote;

const overlapOf = (overlap: ScheduleRow['timing']['overlap']) => overlap.toUpperCase() as Uppercase<typeof overlap>;

/** @throws InvalidRequest with the server's words when Temporal refuses the timing */
async function translateRefusal<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const cause = error instanceof ServiceError ? (error.cause as { code?: unknown; message?: string }) : undefined;
    if (cause?.code !== grpcInvalidArgument) throw error;
    throw new InvalidRequest([{ path: 'timing', message: cause.message ?? 'is refused by Temporal' }]);
  }
}
