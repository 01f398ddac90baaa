import { executeChild } from '@temporalio/workflow';
import { agentQueue, undoWorkflowId } from '../../contract/ids.ts';
import type { TaskRef } from '../../contract/references.ts';
import { ownerSearchAttributes } from '../../contract/task-start.ts';
import type { undoTaskWorkflow } from './workflow.ts';

/**
 * Undoes what ended tasks have changed, one after the other, the newest first. Each on the queue of its agent, whose
 * workers have its tools. The rows say what is to be undone, so one that runs already does it too.
 */
export async function undoDelegated(tasks: TaskRef[]): Promise<void> {
  for (const task of tasks) {
    try {
      await executeChild<typeof undoTaskWorkflow>('undoTaskWorkflow', {
        workflowId: undoWorkflowId(task.taskId),
        taskQueue: agentQueue(task.agent),
        args: [task],
        // An undo that has begun is brought to its end.
        parentClosePolicy: 'ABANDON',
        workflowTaskTimeout: '5 s',
        typedSearchAttributes: ownerSearchAttributes(task),
        staticSummary: `undo · task ${task.taskId}`,
      });
    } catch {
      // It runs already, or was terminated: then the sweep goes on with it.
    }
  }
}
