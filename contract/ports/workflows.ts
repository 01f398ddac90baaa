import type { CallbackRef, SourceRef } from '../references.ts';
import type { WorkflowState } from '../rules/task-reconciliation.ts';

/**
 * What activities ask of workflows. The methods that start one are idempotent: a workflow that already runs reads its
 * rows once more.
 */
export interface Workflows {
  describe(workflowId: string): Promise<WorkflowState>;
  /** Ids of the tasks whose workflow runs now, over all tenants. */
  runningTasks(): AsyncIterable<string>;
  /** Starts the workflow that releases parked tasks when the model answers again. */
  watchOutage(model: string): Promise<void>;
  /** Starts the workflow that makes vectors of stored chunks that have none. */
  embedDocuments(): Promise<void>;
  /** Starts the sync, or the removal, that the source's row asks for. */
  syncSource(source: SourceRef): Promise<void>;
  /** Signals a parked task to continue. A task that has ended is left alone. */
  release(taskId: string): Promise<void>;
  /**
   * Starts the delivery of a callback.
   *
   * @param options `restart`: at once, also while an earlier delivery waits for its next attempt
   */
  deliverCallback(callback: CallbackRef, options?: { restart?: boolean }): Promise<void>;
}
