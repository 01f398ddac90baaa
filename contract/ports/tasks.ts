import type { NewTaskEvent, TaskEvent } from '../events.ts';
import type { Requester } from '../principal.ts';
import type { BudgetLimits, ContentHash, MessageHead, Reach, Scope, WaitReason, TaskRef } from '../references.ts';
import type { TaskEnd, WorkflowState } from '../rules/task-reconciliation.ts';
import type { CheckedCitation, Task, TaskListQuery, TaskRequest, TaskResult, TaskRow } from '../task.ts';
import type { Run } from './run.ts';

export type { TaskRow };

/** What is known of a task that has just been ended. */
export type EndedTask = Pick<TaskRow, 'agent' | 'status' | 'error' | 'createdAt' | 'endedAt' | 'parentId'> & {
  /** Its caller wants to be called back. */
  hasCallback: boolean;
};

/** The part of a task's row that is compared with the task's workflow. */
export type TaskRowState = TaskRef & {
  status: Task['status'];
  /** The run that the row belongs to. Null before the first write of a run. */
  runId: string | null;
  /** When the row came. A message's task was created before, with its message. */
  insertedAt: Date;
  updatedAt: Date;
  /** Number of the task's newest event. */
  lastSeq: number;
  /** The message that the task answers. */
  head: MessageHead;
  /** 1 (first) to 5 (last); undefined: Temporal's default. */
  priority: number | undefined;
  /** Its content was deleted, or is about to be. */
  isErased: boolean;
  /** A person asked for its cancellation, or it is abandoned. */
  isCancelled: boolean;
  /** The task that delegated it, or one above that, has ended or is being cancelled: none reads its answer. */
  isAbandoned: boolean;
  /** Its workflow could not be started, and its caller got an error. */
  hasFailedToStart: boolean;
};

/** Where a page of open tasks begins: after the last task of the page before. */
export type OpenTaskCursor = { createdAt: string; taskId: string };

/** Open tasks of one agent and status. `oldest`: when the oldest of them was created. */
export type OpenTaskCount = { agent: string; status: Task['status']; tasks: number; oldest: Date };

/** How to cancel a task. */
export type CancelNote = {
  /** Why, for people to read. */
  reason?: string | undefined;
  /** True: also undo what the task has changed in the outside world. */
  undo?: boolean | undefined;
  /** The subject who asked for it. */
  by?: string | undefined;
};

/**
 * Task rows. Every write is idempotent, and changes the row and appends its event in one transaction.
 *
 * A row belongs to one `Run`, a Temporal run of the task's workflow, and only writes for that run take effect. When a
 * person resets the workflow, the new run takes the row over.
 */
export interface Tasks {
  /**
   * Stores a request as a queued task, before its workflow starts.
   *
   * @param options `budget`: the agent's limits. Of each limit the lower of the agent's and the request's applies.
   *   `scheduleId`: the schedule whose run this is. `settingsVersion`: what the tenant has set for the agent, which
   *   holds for the task until its end
   * @returns the new task, or the earlier one with the same idempotency key (`isNew: false`)
   * @throws AlfredError `idempotency_key_reused` when the earlier request was another one
   */
  create(
    principal: Requester,
    request: TaskRequest,
    options: {
      idempotencyKey?: string | undefined;
      budget?: BudgetLimits | undefined;
      scheduleId?: string | undefined;
      settingsVersion?: number | null | undefined;
    },
  ): Promise<TaskRow & { head: MessageHead; isNew: boolean }>;

  /** Reads a task within reach. Of another subject's task everything that tells what is in it is empty. */
  get(reach: Reach, taskId: string): Promise<TaskRow | undefined>;

  /**
   * Lists tasks within reach, as `get` reads them.
   *
   * @param query.shared lists the whole tasks that others share with the subject instead
   */
  list(
    reach: Reach,
    query: Omit<TaskListQuery, 'of'> & { shared?: boolean },
  ): Promise<{ tasks: TaskRow[]; nextCursor: string | null }>;

  /**
   * Changes a queued task to running.
   *
   * @param plan `model`: `provider:model`; `settingsVersion`: by which it was chosen
   * @returns the limits of the task; `isSteered`: an earlier run had messages that came while it ran. Or
   *   `settingsVersion`, the version of the task, which is another one: then nothing has changed
   * @throws AlfredError `superseded` when the task was ended before its workflow began
   */
  start(
    task: TaskRef,
    run: Run,
    plan: { model: string; settingsVersion?: number | null | undefined },
  ): Promise<{ budget: BudgetLimits; isSteered: boolean } | { settingsVersion: number | null }>;

  /**
   * Hands the row over to this run, unless the task is open for it or was ended by it. Called before a wait: a run that
   * takes the row over during the wait keeps it.
   */
  adopt(task: TaskRef, run: Run): Promise<void>;

  /** Hands the row from `previousRunId` over to `run`, which continues that run (continue-as-new). */
  recordContinuation(task: TaskRef, run: Run, previousRunId: string): Promise<void>;

  /** Changes a running task to waiting, or changes the reason why it waits. */
  markWaiting(task: TaskRef, run: Run, reason: WaitReason): Promise<void>;

  /**
   * Changes a waiting task to running.
   *
   * @param reason why the task goes on, for people to read
   */
  markResumed(task: TaskRef, run: Run, reason: string): Promise<void>;

  /** Whether a subject has a task of this id that has not ended. */
  isOpen(scope: Scope, taskId: string): Promise<boolean>;

  /** Reads those of the roles of the request that its owner still has. */
  getCurrentRoles(task: Scope & { taskId: string }): Promise<string[]>;

  /**
   * Raises limits of a task that has not ended. Limits that it does not have are not added, and none is lowered.
   *
   * @param more new totals
   * @returns all limits of the task
   */
  grantBudget(task: TaskRef, run: Run, more: BudgetLimits): Promise<BudgetLimits>;

  /**
   * Stores the result of an open task. It is shown when the task is completed with it.
   *
   * @returns its hash, for `complete`
   * @throws AlfredError `superseded` when the task has ended, or belongs to another run
   */
  storeResult(task: TaskRef, run: Run, result: TaskResult): Promise<ContentHash>;

  /**
   * Ends a task with a stored result.
   *
   * @param result the hash that `storeResult` returned
   * @returns the ended row, or undefined when this run has ended the row before
   */
  complete(task: TaskRef, run: Run, result: ContentHash): Promise<EndedTask | undefined>;

  /**
   * Ends a task without a result. A row of another run stays as it is.
   *
   * @param run undefined when the task has no workflow; then a row that has ended stays as it is
   * @returns the ended row, or undefined when the row stays as it is
   */
  close(task: TaskRef, run: Run | undefined, end: TaskEnd): Promise<EndedTask | undefined>;

  /**
   * Notes that the workflow of a queued task could not be started and its caller knows. The sweep then ends the row as
   * `never_started`, unless the caller repeats the request, or the workflow was started all the same.
   */
  recordFailedStart(task: Scope & { taskId: string }): Promise<void>;

  /** Ends a task that has no workflow. A task that any run has begun, or that has ended, stays as it is. */
  closeUnstarted(task: Scope & { taskId: string }, end: TaskEnd): Promise<void>;

  /**
   * Stores how to cancel a task, for its workflow to read. A later note adds to an earlier one: an undo stays asked
   * for, and a reason stays until a later note gives another.
   */
  recordCancelRequest(scope: Scope, taskId: string, note: CancelNote): Promise<void>;

  /**
   * Makes a row agree with its workflow (see contract/rules/task-reconciliation.ts). A row whose workflow must be
   * started again stays as it is: the new run takes it over.
   *
   * @param state what Temporal reported before this call. The row is read later, so it is not older than the state.
   * @returns what was wrong with the row, or undefined when it is right; `restart`: the row whose workflow is lost
   */
  reconcile(taskId: string, state: WorkflowState): Promise<{ found: string; restart?: TaskRowState } | undefined>;

  /**
   * Lists tasks of all tenants that have not ended and have not changed for `olderThanMs`. The sweep, a periodic
   * check, compares them with their workflows.
   *
   * @param options `changedWithinMs`: leaves out tasks that have not changed for longer
   * @returns a page of at most `limit` tasks in the order of their creation, and the cursor of the next page
   */
  listOpen(options: {
    olderThanMs: number;
    changedWithinMs?: number | undefined;
    after: OpenTaskCursor | undefined;
    limit: number;
  }): Promise<{ tasks: TaskRowState[]; next: OpenTaskCursor | undefined }>;

  /** Counts the tasks of all tenants that have not ended. */
  countOpen(): Promise<OpenTaskCount[]>;

  /** Stores which agents no worker serves at present. Their queued tasks say so. */
  recordUnserved(agents: string[]): Promise<void>;

  /** Lists the tasks below a task that have not ended. */
  listOpenBelow(task: TaskRef): Promise<TaskRef[]>;

  /** Reads the tasks with these ids, of any tenant, for the sweep. Unknown ids are left out. */
  listStates(taskIds: string[]): Promise<TaskRowState[]>;
}

/** The numbered events of a task, which its workflow appends and clients follow. */
export interface TaskEvents {
  /** Reads at most `limit` events, from the one after number `after` on. */
  read(scope: Scope, taskId: string, after: number, limit: number): Promise<TaskEvent[]>;

  /** Yields all events after number `after`, and waits for more. Ends after a terminal event, or on abort. */
  follow(scope: Scope, taskId: string, after: number, signal: AbortSignal): AsyncIterable<TaskEvent[]>;

  /** Resolves when the task has ended or does not exist, or on abort. */
  waitForEnd(taskId: string, signal: AbortSignal): Promise<void>;

  /**
   * Reads until what was read has ended, or until the abort. Between two reads it waits for the end of the task.
   *
   * @param read undefined: the task has not ended
   * @returns what was read last; undefined when nothing was
   */
  readUntilEnd<Row extends Pick<TaskRow, 'status'>>(
    taskId: string,
    signal: AbortSignal,
    read: () => Promise<Row | undefined>,
  ): Promise<Row | undefined>;

  /** Appends an event of this run, unless the task has ended or has an event with the same type and data. */
  appendOnce(task: TaskRef, run: Run, event: NewTaskEvent): Promise<void>;

  /**
   * Appends streamed text of a model call.
   *
   * @param source the call that streams the text
   * @returns false when nothing was appended: a newer attempt streams now, or the task has ended
   */
  appendText(task: TaskRef, source: TextSource, text: string): Promise<boolean>;

  /**
   * Appends what is missing of the text that a call has streamed. For a text of which it is not known how much is
   * stored; safe to repeat.
   *
   * @param text the call's whole text so far
   * @returns false when nothing may be appended: a newer attempt streams now, or the task has ended
   */
  completeText(task: TaskRef, source: TextSource, text: string): Promise<boolean>;
}

/** A model call that streams text, with its id in the ledger. Attempts are numbered from 1 again after a wait. */
export type TextSource = { callId: string; step: number; attempt: number };

/** The citations in the answers of tasks. */
export interface Citations {
  /**
   * Lists the citations of a task's answer, each with the passage that the model read and the present state of its
   * document.
   *
   * @param reader who reads, when it is not the owner; citations of documents that it may not read are left out
   * @returns an empty list while the task has no answer; undefined when there is no such task
   */
  list(owner: Scope, taskId: string, reader?: Scope): Promise<CheckedCitation[] | undefined>;

  /** Which of these documents the reader may read now. */
  listReadable(reader: Scope, documentIds: string[]): Promise<Set<string>>;
}
