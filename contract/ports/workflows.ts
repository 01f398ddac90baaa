import type { CallbackRef, SourceRef } from '../references.ts';
import type { WorkflowState } from '../rules/task-reconciliation.ts';

/**
 * What activities do with workflows. The methods that start a workflow are idempotent: a workflow that already runs
 * reads its rows again.
 */
export interface Workflows {
  /** Reads the status of a workflow's latest run. */
  describe(workflowId: string): Promise<WorkflowState>;

  /** Lists the ids of the tasks of all tenants whose workflow is running. */
  runningTasks(): AsyncIterable<string>;

  /** Starts the workflow that releases parked tasks when the model answers again. */
  watchOutage(model: string): Promise<void>;

  /** Starts the workflow that embeds the stored chunks which have no vector. */
  embedDocuments(): Promise<void>;

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
   * Starts the delivery of a callback.
   *
   * @param options `restart`: true delivers at once, even while an earlier delivery waits for its next attempt
   */
  deliverCallback(callback: CallbackRef, options?: { restart?: boolean }): Promise<void>;
}
