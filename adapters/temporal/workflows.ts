import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import {
  agentQueue,
  callbackWorkflowId,
  documentsQueue,
  embedWorkflowId,
  outageWorkflowId,
  signalName,
  sourceWorkflowId,
  systemQueue,
  taskWorkflowId,
  undoWorkflowId,
} from '../../contract/ids.ts';
import type { Workflows, WorkflowState } from '../../contract/ports/index.ts';
import type { CallbackRef, TaskRef } from '../../contract/references.ts';
import { ownerSearchAttributes, taskStartOptions } from '../../contract/task-start.ts';
import { coalesce } from '../../runtime/coalesce.ts';
import type { Config } from '../../runtime/config.ts';
import { priorityOf } from '../../runtime/priority.ts';
import { createAttempts } from './attempts.ts';
import { startContactIngest, startContactSync } from './contact-control.ts';
import { orUnavailable } from './or-unavailable.ts';
import { signalWithStart, startWorkflow, workflowTaskTimeout } from './start-workflow.ts';

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

/**
 * Describes workflows, and starts those that work in the background. A workflow that already runs gets a signal instead
 * of a second start: one that is about to end reads its rows once more.
 */
export const createWorkflows = (client: Client, config: Pick<Config, 'ALFRED_TENANTS'>): Workflows => {
  // Many tasks park and many files are stored at the same moment; one signal serves them all.
  const watchOutage = coalesce((model: string) =>
    mapUnavailable(
      signalWithStart(client, 'modelOutageWorkflow', {
        workflowId: outageWorkflowId(model),
        taskQueue: systemQueue,
        args: [{ model }],
        signal: signalName.parked,
        workflowTaskTimeout,
      }),
    ),
  );
  const embedDocuments = coalesce((workflowId: string) =>
    mapUnavailable(
      signalWithStart(client, 'embedDocumentsWorkflow', {
        workflowId,
        taskQueue: documentsQueue,
        args: [],
        signal: signalName.wake,
        workflowTaskTimeout,
        staticSummary: 'vectors of documents',
      }),
    ),
  );

  return {
    watchOutage,
    embedDocuments: () => embedDocuments(embedWorkflowId),

    async describe(workflowId) {
      try {
        const { runId, status } = await client.workflow.getHandle(workflowId).describe();
        return { runId, status: status.name in statuses ? statuses[status.name as keyof typeof statuses] : 'running' };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { status: 'not_found' };
        throw error;
      }
    },

    restartTask: ({ priority, ...task }) =>
      mapUnavailable(
        startWorkflow(client, 'agentTaskWorkflow', taskStartOptions(task, priorityOf(config, task.tenant, priority))),
      ),

    async cancelTask(taskId) {
      try {
        await mapUnavailable(client.workflow.getHandle(taskWorkflowId(taskId)).cancel());
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },

    undoTask: (task) => mapUnavailable(startUndo(client, task)),

    syncSource: ({ sourceId, tenant, subject }) =>
      mapUnavailable(
        signalWithStart(client, 'syncSourceWorkflow', {
          workflowId: sourceWorkflowId(sourceId),
          taskQueue: documentsQueue,
          args: [{ sourceId, tenant, subject }],
          signal: signalName.wake,
          workflowTaskTimeout,
          typedSearchAttributes: ownerSearchAttributes({ tenant }),
          staticSummary: `documents · source ${sourceId}`,
        }),
      ),

    ingestContacts: (ingest) => mapUnavailable(startContactIngest(client, config, ingest)),

    syncContacts: (tenant) => mapUnavailable(startContactSync(client, tenant)),

    async forgetWorker(taskId) {
      const execution = { workflowId: taskWorkflowId(taskId) };
      await client.workflowService.resetStickyTaskQueue({ namespace: client.options.namespace, execution });
    },

    async release(taskId) {
      try {
        await client.workflow.getHandle(taskWorkflowId(taskId)).signal(signalName.resume);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },

    ...createAttempts(client),

    deliverCallback: (callback, options) => mapUnavailable(startDelivery(client, config, callback, options)),
  };
};

const startUndo = (client: Client, { taskId, tenant, subject, agent }: TaskRef) =>
  signalWithStart(client, 'undoTaskWorkflow', {
    workflowId: undoWorkflowId(taskId),
    // The agent's workers have the keys of its tools.
    taskQueue: agentQueue(agent),
    args: [{ taskId, tenant, subject, agent }],
    signal: signalName.wake,
    workflowTaskTimeout,
    typedSearchAttributes: ownerSearchAttributes({ agent, tenant }),
    staticSummary: `undo · task ${taskId}`,
  });

const startDelivery = (
  client: Client,
  config: Pick<Config, 'ALFRED_TENANTS'>,
  { tenant, subject, ...owner }: CallbackRef,
  { restart = false }: { restart?: boolean } = {},
) =>
  startWorkflow(client, 'callbackWorkflow', {
    workflowId: callbackWorkflowId('taskId' in owner ? owner.taskId : owner.ingestionId),
    taskQueue: systemQueue,
    args: [
      'taskId' in owner
        ? { taskId: owner.taskId, tenant, subject }
        : { ingestionId: owner.ingestionId, tenant, subject },
    ],
    // A delivery that has nothing to do ends by itself.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: restart ? 'TERMINATE_EXISTING' : 'USE_EXISTING',
    workflowTaskTimeout,
    // One tenant's receivers that do not answer do not hold up the callbacks of another.
    priority: priorityOf(config, tenant),
    staticSummary: `callback · ${'taskId' in owner ? `task ${owner.taskId}` : `ingestion ${owner.ingestionId}`}`,
  });

const mapUnavailable = async (call: Promise<unknown>): Promise<void> => void (await orUnavailable(call));
