import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client, type ScheduleOptions } from '@temporalio/client';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { callDeadlineMs } from './deadlines.ts';

/** When a schedule runs and what it starts. */
export type ScheduleDefinition = Pick<ScheduleOptions, 'spec' | 'action' | 'policies' | 'typedSearchAttributes'>;
export type ScheduleState = NonNullable<ScheduleOptions['state']>;

/** Temporal's schedules by id. Every method is idempotent. */
export const createTemporalSchedules = (client: Client) => {
  const withDeadline = <T>(run: () => Promise<T>) => withTemporalTimeout(client, callDeadlineMs, run);

  /** Leaves a schedule as it is that exists. */
  async function create(scheduleId: string, definition: ScheduleDefinition, state?: ScheduleState): Promise<void> {
    try {
      await withDeadline(() => client.schedule.create({ scheduleId, ...definition, ...(state ? { state } : {}) }));
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  }

  return {
    create,

    /**
     * Makes the schedule match the definition; creates it when it does not exist, also after it was deleted in
     * Temporal.
     *
     * @param state whether it is paused, and why; without it, an existing schedule keeps its state
     */
    async ensure(scheduleId: string, definition: ScheduleDefinition, state?: ScheduleState): Promise<void> {
      try {
        await withDeadline(() =>
          client.schedule
            .getHandle(scheduleId)
            .update((current) => ({ ...definition, state: { ...current.state, ...state } })),
        );
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        await create(scheduleId, definition, state);
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
