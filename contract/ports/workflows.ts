import type { CallbackRef, SourceRef } from '../references.ts';
import type { WorkflowState } from '../rules/task-reconciliation.ts';

export interface Workflows {
  describe(workflowId: string): Promise<WorkflowState>;
  /** Ids of tasks whose workflow is running now. */
  runningTasks(): AsyncIterable<string>;
  /** Makes sure that somebody lets parked tasks go when the model is back. */
  watchOutage(model: string): Promise<void>;
  /** Makes sure that somebody makes vectors of what was stored. */
  embedDocuments(): Promise<void>;
  /** Makes sure that somebody does what a source's row asks for. One that is at it already goes on, and looks again. */
  syncSource(source: SourceRef): Promise<void>;
  /** Tells a parked task to go on. A task that has ended is left alone. */
  release(taskId: string): Promise<void>;
  /**
   * Makes sure that somebody delivers a callback.
   * @param options `anew`: at once, also while an earlier delivery waits for its next attempt
   */
  deliverCallback(callback: CallbackRef, options?: { anew?: boolean }): Promise<void>;
}
