import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client, type ScheduleOptions } from '@temporalio/client';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { callDeadlineMs } from './deadlines.ts';

/** When a schedule runs and what it starts. */
export type ScheduleDefinition = Pick<ScheduleOptions, 'spec' | 'action' | 'policies' | 'typedSearchAttributes'>;
export type ScheduleState = NonNullable<ScheduleOptions['state']>;

/** Temporal's schedules by id. Every method is idempotent. @param deadlineMs for each call to Temporal */
export const createTemporalSchedules = (client: Client, deadlineMs = callDeadlineMs) => {
  const withDeadline = <T>(run: () => Promise<T>) => withTemporalTimeout(client, deadlineMs, run);

  /** Leaves a schedule as it is that exists. @returns whether it was created */
  async function create(scheduleId: string, definition: ScheduleDefinition, state?: ScheduleState): Promise<boolean> {
    try {
      await withDeadline(() => client.schedule.create({ scheduleId, ...definition, ...(state ? { state } : {}) }));
      return true;
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      return false;
    }
  }

  return {
    create,

    /**
     * Makes the schedule match the definition; creates it when it does not exist, also after it was deleted in
     * Temporal.
     *
     * @param options `state`: whether a schedule that is created is paused, and why. `setState`: an existing one gets
     *   that state too, if its own says so; otherwise it keeps its own, because Temporal may have paused it
     * @returns whether it matches; false when another process has created it at the same time
     */
    async ensure(
      scheduleId: string,
      definition: ScheduleDefinition,
      { state, setState = () => false }: { state?: ScheduleState; setState?: (current: ScheduleState) => boolean } = {},
    ): Promise<boolean> {
      try {
        await withDeadline(() =>
          client.schedule.getHandle(scheduleId).update((current) => ({
            ...definition,
            state: { ...current.state, ...(setState(current.state) ? state : {}) },
          })),
        );
        return true;
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        return create(scheduleId, definition, state);
      }
    },

    /** Deleting a missing schedule succeeds. */
    async delete(scheduleId: string): Promise<void> {
      try {
        await withDeadline(() => client.schedule.getHandle(scheduleId).delete());
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },
  };
};
export type TemporalSchedules = ReturnType<typeof createTemporalSchedules>;
