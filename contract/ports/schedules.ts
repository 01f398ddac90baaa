import type { ErrorCode } from '../errors.ts';
import type { MessageHead, ScheduledRun, Scope, TaskRef } from '../references.ts';
import type { Schedule, ScheduleAction, ScheduleChange, ScheduleListQuery, ScheduleRequest } from '../schedule.ts';
import type { Identity } from './identity.ts';

/** A schedule's row: all but what Temporal knows of it. Its action has the secrets that views leave out. */
export type ScheduleRow = Omit<Schedule, 'action' | 'state' | 'nextRuns' | 'links'> &
  Scope & { action: ScheduleAction };

/** Schedules, and what became of their runs. When they run is Temporal's to know. */
export interface Schedules {
  /**
   * @returns the schedule, or the one that the same idempotency key made before
   * @throws AlfredError `idempotency_key_reused` when that one had another body, or was deleted
   */
  create(
    identity: Identity,
    request: ScheduleRequest,
    options: { idempotencyKey?: string | undefined },
  ): Promise<ScheduleRow>;
  get(scope: Scope, scheduleId: string): Promise<ScheduleRow | undefined>;
  list(scope: Scope, query: ScheduleListQuery): Promise<{ schedules: ScheduleRow[]; nextCursor: string | null }>;
  /**
   * Changes the row and tells Temporal before anybody sees it; what `tell` throws takes the change back. Changes of one
   * schedule wait for each other, so that both sides end with the last one.
   */
  change(
    scope: Scope,
    scheduleId: string,
    change: ScheduleChange,
    tell: (row: ScheduleRow) => Promise<void>,
  ): Promise<ScheduleRow | undefined>;
  /** As `change`. The row is hidden: its runs go on to belong to it. @returns whether there was one */
  delete(scope: Scope, scheduleId: string, tell: (id: string) => Promise<void>): Promise<boolean>;
  /** Takes back a schedule that never came to be; one that has run stays. */
  discard(scope: Scope, scheduleId: string): Promise<void>;
  /**
   * What a run is to do, for whom, and the task that it has made before.
   * @returns undefined when the schedule was deleted
   */
  loadRun(
    run: ScheduledRun,
  ): Promise<
    { identity: Identity; action: ScheduleAction; task: (TaskRef & { head: MessageHead }) | undefined } | undefined
  >;
  /** Notes what is known of a run. Ids that are left out stay; an error is forgotten by a note without one. Safe to repeat. */
  recordRun(run: ScheduledRun, known: RunNote): Promise<void>;
  /** How what a run began has ended, undefined while it goes on. */
  findRunEnd(run: ScheduledRun): Promise<RunEnd | undefined>;
}

export type RunNote = {
  taskId?: string | undefined;
  conversationId?: string | undefined;
  messageId?: string | undefined;
  error?: { code: ErrorCode; message: string } | undefined;
};

export type RunEnd =
  { status: 'completed' | 'cancelled' } | { status: 'failed'; error: { code: ErrorCode; message: string } };
