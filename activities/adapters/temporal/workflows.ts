import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { taskIdOf } from '../../../contract/ids.ts';
import type { Workflows, WorkflowState } from '../../ports.ts';

const statuses = {
  RUNNING: 'running',
  CONTINUED_AS_NEW: 'running',
  PAUSED: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
} as const satisfies Record<string, Exclude<WorkflowState, { status: 'not_found' }>['status']>;

/** What Temporal says about workflows. */
export const createWorkflows = (client: Client): Workflows => ({
  async describe(workflowId) {
    try {
      const { runId, status } = await client.workflow.getHandle(workflowId).describe();
      return { runId, status: status.name in statuses ? statuses[status.name as keyof typeof statuses] : 'running' };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { status: 'not_found' };
      throw error;
    }
  },

  async *runningTasks() {
    for await (const { workflowId } of client.workflow.list({
      query: `WorkflowType = 'agentTaskWorkflow' AND ExecutionStatus = 'Running'`,
    })) {
      const taskId = taskIdOf(workflowId);
      if (taskId !== undefined) yield taskId;
    }
  },
});
