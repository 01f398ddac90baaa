import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import {
  callbackWorkflowId,
  documentsQueue,
  embedWorkflowId,
  outageWorkflowId,
  signalName,
  sourceWorkflowId,
  systemQueue,
  taskIdOf,
  taskWorkflowId,
} from '../../contract/ids.ts';
import { tenantAttribute } from '../../contract/task-start.ts';
import { AlfredError } from '../../contract/errors.ts';
import { isTemporalUnavailable } from '../../runtime/temporal.ts';
import type { Workflows, WorkflowState } from '../../contract/ports/index.ts';
import { coalesce } from '../../runtime/coalesce.ts';

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
export const createWorkflows = (client: Client): Workflows => {
  const embedDocuments = coalesce((workflowId: string) =>
    told(
      client.workflow.signalWithStart('embedDocumentsWorkflow', {
        workflowId,
        taskQueue: documentsQueue,
        args: [],
        // Also when it runs: one that is about to end takes another look.
        signal: signalName.wake,
        workflowTaskTimeout: '5 s',
        staticSummary: 'vectors of documents',
      }),
    ),
  );
  return workflowsOf(client, embedDocuments);
};

const workflowsOf = (client: Client, embedDocuments: (id: string) => Promise<void>): Workflows => ({
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

  // A task that has to wait must not fail because it could not say so.
  watchOutage: coalesce((model: string) =>
    told(
      client.workflow.signalWithStart('modelOutageWorkflow', {
        workflowId: outageWorkflowId(model),
        taskQueue: systemQueue,
        args: [{ model }],
        // Also when it runs: one that is about to end takes another look.
        signal: signalName.parked,
        workflowTaskTimeout: '5 s',
      }),
    ),
  ),

  embedDocuments: () => embedDocuments(embedWorkflowId),

  syncSource: ({ sourceId, tenant, subject }) =>
    told(
      client.workflow.signalWithStart('syncSourceWorkflow', {
        workflowId: sourceWorkflowId(sourceId),
        taskQueue: documentsQueue,
        args: [{ sourceId, tenant, subject }],
        // Also when it runs: one that is about to end takes another look.
        signal: signalName.wake,
        workflowTaskTimeout: '5 s',
        typedSearchAttributes: [{ key: tenantAttribute, value: tenant }],
        staticSummary: `documents · source ${sourceId}`,
      }),
    ),

  async release(taskId) {
    try {
      await client.workflow.getHandle(taskWorkflowId(taskId)).signal(signalName.resume);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  },

  deliverCallback: ({ taskId, tenant, subject }, { anew = false } = {}) =>
    told(
      client.workflow.start('callbackWorkflow', {
        workflowId: callbackWorkflowId(taskId),
        taskQueue: systemQueue,
        args: [{ taskId, tenant, subject }],
        // One that has nothing to do ends by itself.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: anew ? 'TERMINATE_EXISTING' : 'USE_EXISTING',
        workflowTaskTimeout: '5 s',
        staticSummary: `callback · task ${taskId}`,
      }),
    ),
});

async function told(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isTemporalUnavailable(error)) throw error;
    throw new AlfredError('temporal_unavailable', undefined, { cause: error });
  }
}
