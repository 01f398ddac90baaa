import type { NewTaskEvent, TaskEvent } from '../events.ts';
import type { BudgetLimits, ContentHash, MessageHead, Scope, WaitReason, TaskRef } from '../references.ts';
import type { TaskClosure, WorkflowState } from '../rules/task-reconciliation.ts';
import type { CheckedCitation, Task, TaskListQuery, TaskRequest, TaskResult } from '../task.ts';
import type { Identity, Run } from './identity.ts';

/** A task's row without its links, which only doors can build. */
export type TaskRow = Omit<Task, 'links'>;

/** What is needed to compare a task's row with its workflow. `runId`: the run that the row belongs to. */
export type TaskState = TaskRef & { status: Task['status']; runId: string | null; updatedAt: Date; lastSeq: number };

/** How to cancel a task. `reason`: for people; `undo`: also undo its effects; `by`: the subject who asked for it. */
export type CancelNote = { reason?: string | undefined; undo?: boolean | undefined; by?: string | undefined };

/**
 * Task rows. Every write is idempotent, and changes the row and appends its event in one transaction.
 *
 * Writes for a `Run` take effect only while the row belongs to this run.
 * A run that a person made by resetting the workflow takes the row over.
 */
export interface Tasks {
  /**
   * Stores a request as a queued task, before its workflow starts.
   *
   * @param options `budget`: the agent's limits; the lower of each of them and the request's applies
   * @returns the new task, or the earlier one with the same idempotency key (`isNew: false`)
   * @throws AlfredError `idempotency_key_reused` when the earlier request was another one
   */
  create(
    scope: Scope & Partial<Identity>,
    request: TaskRequest,
    options: { idempotencyKey?: string | undefined; budget?: BudgetLimits | undefined },
  ): Promise<TaskRow & { head: MessageHead; isNew: boolean }>;
  get(scope: Scope, taskId: string): Promise<TaskRow | undefined>;
  list(scope: Scope, query: TaskListQuery): Promise<{ tasks: TaskRow[]; nextCursor: string | null }>;
  /** queued → running. @throws AlfredError `superseded` when the task was ended before its workflow began */
  start(task: TaskRef, run: Run, model: string): Promise<{ budget: BudgetLimits }>;
  /** The row belongs to the run that continues `previousRunId` (continue-as-new). */
  recordContinuation(task: TaskRef, run: Run, previousRunId: string): Promise<void>;
  /** running → waiting, or another reason to wait. */
  markWaiting(task: TaskRef, run: Run, reason: WaitReason): Promise<void>;
  /** waiting → running. */
  markResumed(task: TaskRef, run: Run, reason: string): Promise<void>;
  /** The roles of the task's requester. */
  getRoles(task: TaskRef): Promise<string[]>;
  /**
   * Raises limits of a task that has not ended. Limits that it does not have are not added, and none is lowered.
   *
   * @returns all its limits
   */
  grantBudget(task: TaskRef, run: Run, more: BudgetLimits): Promise<BudgetLimits>;
  /** Stores a task's result. @returns its hash, for `complete` */
  storeResult(scope: Scope, result: TaskResult): Promise<ContentHash>;
  /** running → completed. @returns the ended row, or undefined when this run had ended it before */
  complete(task: TaskRef, run: Run, result: ContentHash): Promise<TaskRow | undefined>;
  /**
   * Ends a task without a result. Without a run (its workflow is
   * gone) only a row that has not ended. Otherwise as `complete`.
   */
  close(task: TaskRef, run: Run | undefined, closure: TaskClosure): Promise<TaskRow | undefined>;
  /** Stores how to cancel a task, for its workflow to read. The last request counts. */
  recordCancelRequest(scope: Scope, taskId: string, request: CancelNote): Promise<void>;
  /**
   * Makes a row agree with its workflow (see contract/rules/task-reconciliation.ts).
   *
   * @param state what Temporal reported before this call, so that the row is read later
   * @returns what was wrong with the row, or undefined when it was right
   */
  reconcile(taskId: string, state: WorkflowState): Promise<string | undefined>;
  /** A page of tasks that have not ended and not changed for `olderThanMs`, by id, over all tenants; for the sweep. */
  listOpen(options: { olderThanMs: number; after: string | undefined; limit: number }): Promise<TaskState[]>;
  /** The tasks with these ids, over all tenants; for the sweep. */
  listStates(taskIds: string[]): Promise<TaskState[]>;
}

/** The numbered events of a task, which people and doors follow. */
export interface TaskEvents {
  /** A page of the events after number `after`. */
  read(scope: Scope, taskId: string, after: number, limit: number): Promise<TaskEvent[]>;
  /** Yields every event after `after`, waits for more, and ends after a terminal event or on abort. */
  follow(scope: Scope, taskId: string, after: number, signal: AbortSignal): AsyncIterable<TaskEvent[]>;
  /** Resolves when the task has ended or does not exist, or on abort. */
  waitForEnd(taskId: string, signal: AbortSignal): Promise<void>;
  /** Appends an event of this run, unless the task has ended or has an event with the same type and data. */
  appendOnce(task: TaskRef, run: Run, event: NewTaskEvent): Promise<void>;
  /** Appends streamed text of a model call. @returns false when a newer attempt streams now, or the task has ended */
  appendText(task: TaskRef, at: Run & { step: number; attempt: number }, text: string): Promise<boolean>;
}

/** The citations of tasks' answers. */
export interface Citations {
  /**
   * The citations of a task's answer, each with the passage that the model read and the present state of its document.
   *
   * @returns undefined when there is no such task; an empty list while it has no answer
   */
  list(scope: Scope, taskId: string): Promise<CheckedCitation[] | undefined>;
}
