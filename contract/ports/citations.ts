import type { Scope } from '../references.ts';
import type { CheckedCitation } from '../task.ts';

export interface Citations {
  /**
   * The citations of a task's answer with what was read, and what has become of the place since.
   * @returns undefined when there is no such task; none while it has no answer
   */
  list(scope: Scope, taskId: string): Promise<CheckedCitation[] | undefined>;
}
