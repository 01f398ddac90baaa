import type { NewTaskEvent, TaskEvent } from '../events.ts';
import type { BudgetLimits, ContentHash, MessageHead, Scope, WaitReason, TaskRef } from '../references.ts';
import type { TaskClosure, WorkflowState } from '../rules/task-reconciliation.ts';
import type { Task, TaskListQuery, TaskRequest, TaskResult } from '../task.ts';
import type { Identity, Run } from './identity.ts';

/** A task's row without what only a door can add (links). */
export type TaskRow = Omit<Task, 'links'>;

/** What decides whether a row agrees with its workflow. */
export type TaskState = TaskRef & { status: Task['status']; runId: string | null; updatedAt: Date; lastSeq: number };

/** Why and how a task shall be cancelled. */
export type CancelNote = { reason?: string | undefined; undo?: boolean | undefined; by?: string | undefined };

/** Task rows and their events. All writes are idempotent and keep row and events in one transaction. */
export interface Tasks {
  /**
   * Stores the request before its workflow starts.
   * @param options `budget`: the agent's own limits; of each and the request's the tighter one counts
   * @returns the task, or the one that the same idempotency key made before
   * @throws AlfredError `idempotency_key_reused` when that one had another body
   */
  create(
    scope: Scope & Partial<Identity>,
    request: TaskRequest,
    options: { idempotencyKey?: string | undefined; budget?: BudgetLimits | undefined },
  ): Promise<TaskRow & { head: MessageHead; isNew: boolean }>;
  get(scope: Scope, taskId: string): Promise<TaskRow | undefined>;
  list(scope: Scope, query: TaskListQuery): Promise<{ tasks: TaskRow[]; nextCursor: string | null }>;
  /** queued → running. Safe to repeat. */
  start(task: TaskRef, run: Run, model: string): Promise<{ budget: BudgetLimits }>;
  /** The row speaks for the run that continues `from` (continue-as-new). Safe to repeat. */
  recordContinuation(task: TaskRef, run: Run, from: string): Promise<void>;
  /** running → waiting, with its event. Safe to repeat. */
  markWaiting(task: TaskRef, run: Run, stop: WaitReason): Promise<void>;
  /** waiting → running, with its event. Safe to repeat. */
  markResumed(task: TaskRef, run: Run, reason: string): Promise<void>;
  /** The roles of who asked for it. */
  getRoles(task: TaskRef): Promise<string[]>;
  /** Widens the limits of a task that has not ended. @returns all its limits */
  grantBudget(task: TaskRef, run: Run, more: BudgetLimits): Promise<BudgetLimits>;
  /** Stores what a task answers. Safe to repeat. @returns its hash, for `complete` */
  storeResult(scope: Scope, result: TaskResult): Promise<ContentHash>;
  /** @returns the ended row, or undefined when this run had ended it before */
  complete(task: TaskRef, run: Run, result: ContentHash): Promise<TaskRow | undefined>;
  /** As `complete`; without a run (the workflow is gone) only a row that has not ended is closed. */
  close(task: TaskRef, run: Run | undefined, closure: TaskClosure): Promise<TaskRow | undefined>;
  /** Why and how somebody asks to cancel it, for its workflow to read. Safe to repeat: the newest counts. */
  recordCancelRequest(scope: Scope, taskId: string, request: CancelNote): Promise<void>;
  /**
   * Brings a row in line with what Temporal said about its workflow (contract/rules/task-reconciliation.ts).
   * @param state asked before this call, so that the row is the younger of the two
   * @returns what was found when the row was wrong, undefined when it was right
   */
  reconcile(taskId: string, state: WorkflowState): Promise<string | undefined>;
  /** Rows that are not ended, by id, over all tenants; for the sweep. */
  listOpen(options: { olderThanMs: number; after: string | undefined; limit: number }): Promise<TaskState[]>;
  /** Rows of these ids, over all tenants; for the sweep. */
  listStates(taskIds: string[]): Promise<TaskState[]>;
}

/** Events a person may watch, in sequence, for the task's whole life. */
export interface TaskEvents {
  read(scope: Scope, taskId: string, after: number, limit: number): Promise<TaskEvent[]>;
  /** Yields every event after `after`, waits for more, and ends after a terminal event or on abort. */
  follow(scope: Scope, taskId: string, after: number, signal: AbortSignal): AsyncIterable<TaskEvent[]>;
  /** Resolves when the task has ended, or on abort. */
  waitForEnd(taskId: string, signal: AbortSignal): Promise<void>;
  /** Appends an event of this run, unless the task has ended or has that very event. */
  appendOnce(task: TaskRef, run: Run, event: NewTaskEvent): Promise<void>;
  /** Appends text of the attempt that may stream. @returns false when a newer attempt took over or the task has ended */
  appendText(task: TaskRef, at: Run & { step: number; attempt: number }, text: string): Promise<boolean>;
}
