import type { ApprovalDecision } from '../approval.ts';
import type { Ingestion, Placement } from '../documents.ts';
import type { MessageHead, Scope, TaskRef } from '../references.ts';
import type { Schedule, ScheduleChange, ScheduleRequest } from '../schedule.ts';
import type { SourceChange, SourceRequest } from '../sources.ts';
import type { BudgetGrant } from '../task.ts';
import type { ApprovalRow } from './approvals.ts';
import type { UploadedFile } from './documents.ts';
import type { Identity } from './identity.ts';
import type { ScheduleRow } from './schedules.ts';
import type { SourceRow } from './sources.ts';
import type { CancelNote, TaskRow } from './tasks.ts';

/**
 * What doors ask of running work: start it, read it, change it, end it.
 *
 * Each method writes the row first and then calls Temporal, and is safe to repeat. A method that names one thing
 * returns undefined when the scope has no such thing. All of them throw AlfredError `temporal_unavailable` when
 * Temporal does not answer in time.
 */
export interface Control {
  tasks: TaskControl;
  approvals: ApprovalControl;
  ingestions: IngestionControl;
  schedules: ScheduleControl;
  sources: SourceControl;
}

export interface TaskControl {
  /**
   * Starts the workflow of a stored task; a second start finds the first.
   *
   * @param task `priority`: 1 (first) to 5 (last), default 3
   */
  start(task: TaskRef & { head: MessageHead; priority?: number | undefined }): Promise<void>;
  /** Reads the row and first reconciles it with its workflow, when Temporal answers within half a second. */
  read(scope: Scope, taskId: string): Promise<TaskRow | undefined>;
  /**
   * Asks the workflow to cancel, or closes a row whose workflow never started. A task that has ended stays as it is.
   */
  cancel(scope: Scope, taskId: string, note: Omit<CancelNote, 'by'>): Promise<TaskRow | undefined>;
  /**
   * Raises limits of a task, or ends it with the results so far.
   *
   * @throws AlfredError `task_ended`, `budget_refused`
   */
  grantBudget(scope: Scope, taskId: string, grant: BudgetGrant): Promise<TaskRow | undefined>;
  /**
   * Delivers the callback of an ended task once more, at once.
   *
   * @throws AlfredError `callback_missing`, `task_running`
   */
  repeatCallback(scope: Scope, taskId: string): Promise<TaskRow | undefined>;
}

export interface ApprovalControl {
  /**
   * Decides about a call. The first decision counts; the same decision by the same person again changes nothing.
   *
   * @returns the approval with its decision
   * @throws AlfredError `approval_decided`, `approval_forbidden`, `approval_changed`, `invalid_request` when edited
   *   arguments do not fit the tool
   */
  decide(identity: Identity, approvalId: string, decision: ApprovalDecision): Promise<ApprovalRow | undefined>;
}

/** An upload's row. */
export type IngestionRow = Omit<Ingestion, 'links'>;

export interface IngestionControl {
  /** Stores the files and starts to read them. When the start fails, nothing of the upload stays. */
  create(scope: Scope, files: UploadedFile[], placement: Placement): Promise<IngestionRow>;
  /** Reads the row, reconciled with its workflow. */
  read(scope: Scope, ingestionId: string): Promise<IngestionRow | undefined>;
  /**
   * Reads files again that failed, or that an ended upload left unread, in another ingestion.
   *
   * @returns that ingestion, or the one that is already retrying them
   * @throws AlfredError `ingestion_running`, `ingestion_without_failures`, `file_bytes_gone`
   */
  retry(scope: Scope, ingestionId: string): Promise<IngestionRow | undefined>;
}

/**
 * What Temporal reports about a schedule; `missing`: it was deleted there, `unknown`: Temporal did not answer in time.
 */
export type ScheduleStatus =
  | { state: 'scheduled'; paused: boolean; note: string; nextRuns: string[] }
  | { state: Exclude<Schedule['state'], 'scheduled'> };

export interface ScheduleControl {
  /** @throws InvalidRequest with Temporal's words when it refuses the timing; nothing is stored then */
  create(
    identity: Identity,
    request: ScheduleRequest,
    options: { idempotencyKey?: string | undefined },
  ): Promise<ScheduleRow>;
  /**
   * Also makes a schedule again that was deleted in Temporal.
   *
   * @throws InvalidRequest as `create`; nothing has changed then
   */
  change(scope: Scope, scheduleId: string, change: ScheduleChange): Promise<ScheduleRow | undefined>;
  /** Runs it now, also while it is paused; its overlap policy applies. @throws AlfredError `schedule_missing` */
  trigger(scope: Scope, scheduleId: string): Promise<ScheduleRow | undefined>;
  /** Runs under way go on. @returns whether there was one */
  delete(scope: Scope, scheduleId: string): Promise<boolean>;
  /** What Temporal reports, within a second. Never throws. */
  describe(scheduleId: string): Promise<ScheduleStatus>;
}

export interface SourceControl {
  /**
   * Stores a source, schedules its syncs and starts the first. When that fails, a source without an idempotency key is
   * removed again; with a key, the repeat continues.
   *
   * @throws AlfredError `source_exists`, `idempotency_key_reused`
   */
  create(scope: Scope, request: SourceRequest, options: { idempotencyKey?: string | undefined }): Promise<SourceRow>;
  /** Reads the row; a sync that is open for over a minute is reconciled with its workflow first. */
  read(scope: Scope, sourceId: string): Promise<SourceRow | undefined>;
  /** @throws AlfredError `source_exists` */
  change(scope: Scope, sourceId: string, change: SourceChange): Promise<SourceRow | undefined>;
  /** Starts a sync; while one is under way nothing changes. */
  sync(scope: Scope, sourceId: string): Promise<SourceRow | undefined>;
  /** @returns whether there was one */
  delete(scope: Scope, sourceId: string, documents: 'remove' | 'keep'): Promise<boolean>;
}
