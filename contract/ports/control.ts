import type { ApprovalDecision } from '../approval.ts';
import type { Callback } from '../callback.ts';
import type { ContactIngest, ContactMerge } from '../contacts.ts';
import type { Ingestion, Placement } from '../documents.ts';
import type { Principal, Requester } from '../principal.ts';
import type { MessageHead, Reach, Scope, TaskRef } from '../references.ts';
import type { Schedule, ScheduleChange, ScheduleRequest } from '../schedule.ts';
import type { SourceChange, SourceRequest } from '../sources.ts';
import type { BudgetGrant } from '../task.ts';
import type { ApprovalRow } from './approvals.ts';
import type { ContactUpload } from './contacts.ts';
import type { UploadedFile } from './documents.ts';
import type { ScheduleRow } from './schedules.ts';
import type { SourceRow } from './sources.ts';
import type { CancelNote, TaskRow } from './tasks.ts';

/**
 * What the API does with running work: it starts, reads, changes and ends tasks, approvals, uploads, schedules and
 * sources.
 *
 * Each method writes the row first and then calls Temporal, and is safe to repeat. A method that gets an id returns
 * undefined when the scope has nothing with that id. All methods throw AlfredError `temporal_unavailable` when Temporal
 * does not answer in time.
 */
export interface Control {
  tasks: TaskControl;

  approvals: ApprovalControl;

  ingestions: IngestionControl;

  contacts: ContactControl;

  schedules: ScheduleControl;

  sources: SourceControl;
}

export interface TaskControl {
  /**
   * Starts the workflow of a stored task. A second start changes nothing.
   *
   * @param task `priority`: 1 (first) to 5 (last), default 3
   */
  start(task: TaskRef & { head: MessageHead; priority?: number | undefined }): Promise<void>;

  /** Reads a task's row. When Temporal answers within half a second, the row is first reconciled with its workflow. */
  read(reach: Reach, taskId: string): Promise<TaskRow | undefined>;

  /**
   * Asks a task's workflow to cancel the task, or ends a task whose workflow never started. A task that has ended stays
   * as it is. A reason and an undo that were asked for once stay, when a later call names none.
   *
   * @param note `by`: who asks for it, when that is another subject than the one that reaches the task
   * @throws AlfredError `role_missing` for an undo of a task of another subject
   */
  cancel(reach: Reach, taskId: string, note: CancelNote): Promise<TaskRow | undefined>;

  /**
   * Undoes what an ended task has changed, newest first, in a workflow of its own. A repeat changes nothing, except
   * that it tries again what could not be undone.
   *
   * @returns the task, whose `effects` say how far the undo is
   * @throws AlfredError `task_running`; `nothing_to_undo` when nothing was changed or nothing can be undone
   */
  undo(scope: Scope, taskId: string): Promise<TaskRow | undefined>;

  /**
   * Raises limits of a task, or ends the task with the results so far.
   *
   * @throws AlfredError `task_ended`; `budget_refused` when the grant does not fit the task's limits
   */
  grantBudget(reach: Reach, taskId: string, grant: BudgetGrant): Promise<TaskRow | undefined>;

  /**
   * Delivers the callback of an ended task once more, at once.
   *
   * @throws AlfredError `callback_missing` when the task has none, `task_running` when the task has not ended
   */
  repeatCallback(scope: Scope, taskId: string): Promise<TaskRow | undefined>;
}

export interface ApprovalControl {
  /**
   * Decides about a call. The first decision counts. The same decision by the same person again changes nothing.
   *
   * @returns the approval with its decision
   * @throws AlfredError `approval_decided` when another decision counts; `approval_forbidden` when this person may not
   *   decide; `approval_changed` when the call has other arguments than those that the person saw; `invalid_request`
   *   when edited arguments do not fit the tool
   */
  decide(principal: Principal, approvalId: string, decision: ApprovalDecision): Promise<ApprovalRow | undefined>;
}

/** The row of an upload without its links, which only the API can build. */
export type IngestionRow = Omit<Ingestion, 'links'>;

export interface IngestionControl {
  /** Asks before work that `create` would throw away. @throws AlfredError `temporal_unavailable`, as all methods do */
  checkTemporal(): Promise<void>;

  /**
   * Stores the files and starts to read them. When the start fails, the upload is ended and its files are deleted.
   *
   * @param callback where the end of the upload is reported
   */
  create(principal: Requester, files: UploadedFile[], placement: Placement, callback?: Callback): Promise<IngestionRow>;

  /** Reads the row of an upload. The row of a running upload is first reconciled with its workflow. */
  read(scope: Scope, ingestionId: string): Promise<IngestionRow | undefined>;

  /**
   * Starts another ingestion for the files that failed, or that were unread when the upload ended.
   *
   * @returns the new ingestion, or the one that is already reading these files
   * @throws AlfredError `ingestion_running`; `ingestion_without_failures` when no file is left to be read;
   *   `file_bytes_gone` when the files are no longer stored
   */
  retry(scope: Scope, ingestionId: string): Promise<IngestionRow | undefined>;

  /**
   * Delivers the callback of an ended upload once more, at once.
   *
   * @throws AlfredError `callback_missing` when the upload has none, `ingestion_running` when it has not ended
   */
  repeatCallback(scope: Scope, ingestionId: string): Promise<IngestionRow | undefined>;
}

export interface ContactControl {
  /** Asks before an upload that `ingest` would throw away. @throws AlfredError `temporal_unavailable` */
  checkTemporal(): Promise<void>;

  /**
   * Stores the lines of an upload and starts to make contacts of them. When the start fails, nothing is kept.
   *
   * @throws InvalidRequest for a file that cannot be read; AlfredError `idempotency_key_reused`
   */
  ingest(by: Scope, upload: ContactUpload, bytes: AsyncIterable<Uint8Array>): Promise<ContactIngest>;

  /** Reads an upload. One that runs is first reconciled with its workflow. */
  read(by: Scope, ingestId: string): Promise<ContactIngest | undefined>;

  /** Ends an upload, behind the batch that is being stored. One that has ended stays as it is. */
  cancel(by: Scope, ingestId: string): Promise<ContactIngest | undefined>;

  /** Takes back a merge, and tells the CRM. @throws AlfredError `contact_absorbed` */
  undoMerge(tenant: string, mergeId: string): Promise<ContactMerge | undefined>;
}

/**
 * What Temporal reports about a schedule.
 *
 * - `scheduled`: the schedule exists in Temporal. `note` says why it is paused.
 * - `missing`: the schedule was deleted in Temporal.
 * - `unknown`: Temporal did not answer in time.
 */
export type ScheduleStatus =
  | { state: 'scheduled'; paused: boolean; note: string; nextRuns: string[] }
  | { state: Exclude<Schedule['state'], 'scheduled'> };

export interface ScheduleControl {
  /**
   * Stores a schedule and creates it in Temporal.
   *
   * @throws InvalidRequest with Temporal's words when Temporal refuses the timing. Nothing is stored then.
   */
  create(
    principal: Principal,
    request: ScheduleRequest,
    options: { idempotencyKey?: string | undefined },
  ): Promise<ScheduleRow>;

  /**
   * Changes a schedule. A schedule that was deleted in Temporal is created there again.
   *
   * @throws InvalidRequest with Temporal's words when Temporal refuses the timing. Nothing is changed then.
   */
  change(reach: Reach, scheduleId: string, change: ScheduleChange): Promise<ScheduleRow | undefined>;

  /**
   * Runs a schedule now, even while it is paused. Its overlap policy applies.
   *
   * @throws AlfredError `schedule_missing` when the schedule was deleted in Temporal
   */
  trigger(scope: Scope, scheduleId: string): Promise<ScheduleRow | undefined>;

  /** Deletes a schedule. Its running tasks go on. @returns whether there was such a schedule */
  delete(reach: Reach, scheduleId: string): Promise<boolean>;

  /** Reads what Temporal reports about a schedule. Takes a second at most, and never throws. */
  describe(scheduleId: string): Promise<ScheduleStatus>;
}

export interface SourceControl {
  /**
   * Stores a source, schedules its syncs and starts the first sync. When that fails, a source without an idempotency
   * key is removed again. A source with a key stays, and the caller's repeat continues.
   *
   * @throws AlfredError `source_exists` when the collection has a source with this address; `idempotency_key_reused`
   */
  create(
    principal: Requester,
    request: SourceRequest,
    options: { idempotencyKey?: string | undefined },
  ): Promise<SourceRow>;

  /** Reads a source's row. A sync that was requested over a minute ago is first reconciled with its workflow. */
  read(reach: Reach, sourceId: string): Promise<SourceRow | undefined>;

  /** Changes a source. @throws AlfredError `source_exists` when the new collection has a source with this address */
  change(scope: Scope, sourceId: string, change: SourceChange): Promise<SourceRow | undefined>;

  /** Starts a sync. Changes nothing while a sync is under way. */
  sync(scope: Scope, sourceId: string): Promise<SourceRow | undefined>;

  /** Deletes a source, and removes or keeps its documents. @returns whether there was such a source */
  delete(reach: Reach, sourceId: string, documents: 'remove' | 'keep'): Promise<boolean>;
}
