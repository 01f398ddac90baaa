import type { CallbackRef, ContactIngestRef, MessageHead, SourceRef, TaskRef } from '../references.ts';
import type { WorkflowState } from '../rules/task-reconciliation.ts';

/**
 * What activities do with workflows. The methods that start a workflow are idempotent: a workflow that already runs
 * reads its rows again.
 */
export interface Workflows {
  /** Reads the status of a workflow's latest run. */
  describe(workflowId: string): Promise<WorkflowState>;

  /** Starts the workflow of a task again that Temporal has lost. Does nothing when Temporal knows a workflow of it. */
  restartTask(task: TaskRef & { head: MessageHead; priority?: number | undefined }): Promise<void>;

  /** Asks the workflow of a task to cancel it. Does nothing when the workflow has ended. */
  cancelTask(taskId: string): Promise<void>;

  /** Starts the workflow that undoes what its row says of an ended task. */
  undoTask(task: TaskRef): Promise<void>;

  /** Starts the workflow that releases parked tasks when the model answers again. */
  watchOutage(model: string): Promise<void>;

  /** Starts the workflow that embeds the stored chunks which have no vector. */
  embedDocuments(): Promise<void>;

  /** Goes on with an upload of contacts that Temporal has lost. */
  ingestContacts(ingest: ContactIngestRef): Promise<void>;

  /** Starts to write the contacts of a tenant to the CRM that it does not have. */
  syncContacts(tenant: string): Promise<void>;

  /** Starts the sync, or the removal, that the source's row asks for. */
  syncSource(source: SourceRef): Promise<void>;

  /**
   * Makes Temporal give the next steps of a task's workflow to any worker at once. Otherwise the worker that had the
   * workflow last is waited for, also when it is dead.
   */
  forgetWorker(taskId: string): Promise<void>;

  /** Signals a parked task to call its model again. Does nothing when the task has ended. */
  release(taskId: string): Promise<void>;

  /**
   * How the attempt before this one at an activity ended: without a word, because the process of its worker ended or
   * hung; at the end of its time; or otherwise.
   */
  howAttemptEnded(
    workflow: { workflowId: string; runId: string },
    activityId: string,
  ): Promise<'silent' | 'out_of_time' | 'otherwise'>;

  /** Records how far this attempt at an activity is. The next attempt reads it, however this one ends. */
  recordProgress(taskToken: Uint8Array, progress: Record<string, number>): Promise<void>;

  /**
   * Starts the delivery of a callback.
   *
   * @param options `restart`: true delivers at once, even while an earlier delivery waits for its next attempt
   */
  deliverCallback(callback: CallbackRef, options?: { restart?: boolean }): Promise<void>;
}

/**
 * What the sweep asks of Temporal about many workflows, at a low steady rate. Temporal's lists lag behind: that a
 * workflow is missing in one proves nothing until `describe` confirms it.
 */
export interface WorkflowSurvey {
  /** The ones of these workflows that Temporal lists as running, with one request for all. */
  runningAmong(workflowIds: string[], signal: AbortSignal): Promise<Set<string>>;

  /** Yields pages of the ids of the tasks of all tenants whose workflow is listed as running. */
  runningTasks(options: { startedAfter: Date | undefined }, signal: AbortSignal): AsyncIterable<string[]>;

  /** Reads the status of a workflow's latest run. */
  describe(workflowId: string, signal: AbortSignal): Promise<WorkflowState>;

  /** Asks the workflow of a task to cancel it. Does nothing when the workflow has ended. */
  cancelTask(taskId: string, signal: AbortSignal): Promise<void>;

  /** Whether a worker takes tasks of the agent. */
  isServed(agent: string, signal: AbortSignal): Promise<boolean>;
}

/** The Temporal namespace that the workflows of this database run in. */
export interface TemporalNamespace {
  /**
   * @returns `movedAt`: when an operator last reported that Temporal had lost workflows
   * @throws AlfredError `wrong_namespace` when this process sees another one
   */
  check(): Promise<{ movedAt: Date | undefined }>;
}

/** Schedules in Temporal, as the rows of schedules and sources want them. */
export interface ScheduleAlignment {
  /**
   * Creates the schedules that Temporal lacks, and deletes those whose row was deleted.
   *
   * @returns how many were created and deleted
   */
  align(signal?: AbortSignal): Promise<{ created: number; deleted: number }>;
}
