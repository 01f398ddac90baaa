import type { ErrorCode } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { MessageHead, Reach, ScheduledRun, ScheduleRef, Scope, TaskRef } from '../references.ts';
import type { ScheduleAction, ScheduleChange, ScheduleListQuery, ScheduleRequest, ScheduleRow } from '../schedule.ts';

export type { ScheduleRow };

/** Schedules and their runs. Temporal decides when they run. */
export interface Schedules {
  /**
   * Stores a schedule.
   *
   * @returns the new schedule, or the earlier one with the same idempotency key
   * @throws AlfredError `idempotency_key_reused` when the earlier request was another one, or its schedule was deleted
   */
  create(
    principal: Principal,
    request: ScheduleRequest,
    options: { idempotencyKey?: string | undefined },
  ): Promise<ScheduleRow>;

  /** Reads a schedule within reach, with all that is in it: the API leaves out what a caller may not read. */
  get(reach: Reach, scheduleId: string): Promise<ScheduleRow | undefined>;

  list(
    reach: Reach,
    query: Omit<ScheduleListQuery, 'of'>,
  ): Promise<{ schedules: ScheduleRow[]; nextCursor: string | null }>;

  /**
   * Changes the given fields.
   *
   * @param options `ifUpdatedAt`: changes nothing when the row was changed after that time
   * @returns the row before and after; undefined when there is no such schedule, or the condition does not hold
   */
  change(
    reach: Reach,
    scheduleId: string,
    change: ScheduleChange,
    options?: { ifUpdatedAt?: string },
  ): Promise<{ before: ScheduleRow; row: ScheduleRow } | undefined>;

  /** Hides a schedule. Its row stays, because its runs refer to it. @returns whether there was such a schedule */
  delete(reach: Reach, scheduleId: string): Promise<boolean>;

  /**
   * Lists the schedules of all tenants. `isWanted`: whether Temporal is to have it: it was not deleted, and its time is
   * not over. `updatedAt`: when its row changed last. `isSent`: Temporal has that change.
   *
   * @returns a page of at most `limit` schedules in the order of their ids, which starts after the id `after`
   */
  listScheduled(page: {
    after: string | undefined;
    limit: number;
  }): Promise<(ScheduleRef & { isWanted: boolean; isSent: boolean; updatedAt: Date })[]>;

  /** Notes that Temporal has the schedule as its row was at `updatedAt`, unless it was changed since. */
  markSent(scope: Scope, scheduleId: string, updatedAt: string): Promise<void>;

  /** Deletes a schedule whose creation could not be completed. A schedule that has run stays. */
  discard(scope: Scope, scheduleId: string): Promise<void>;

  /**
   * Loads what a run must do, for whom with the roles of this moment, and the task that the run has created already.
   *
   * @returns undefined when the schedule was deleted
   */
  loadRun(
    run: ScheduledRun,
  ): Promise<
    { principal: Principal; action: ScheduleAction; task: (TaskRef & { head: MessageHead }) | undefined } | undefined
  >;

  /** Stores what a run has started. An absent id stays as it is. An absent error is cleared. Safe to repeat. */
  recordRun(run: ScheduledRun, note: RunNote): Promise<void>;

  /** Reads how the task or message of a run has ended. @returns undefined while the task or message is not finished */
  findRunEnd(run: ScheduledRun): Promise<RunEnd | undefined>;
}

/** What a run has started, or why it could not start anything. */
export type RunNote = {
  taskId?: string | undefined;
  conversationId?: string | undefined;
  messageId?: string | undefined;
  error?: { code: ErrorCode; message: string } | undefined;
};

export type RunEnd =
  | { status: 'completed' | 'incomplete' | 'cancelled' }
  | { status: 'failed'; error: { code: ErrorCode; message: string } };
