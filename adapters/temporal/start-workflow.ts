import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { documentsQueue, ingestionWorkflowId } from '../../contract/ids.ts';
import type { MessageHead, Scope, TaskRef } from '../../contract/references.ts';
import { taskStart, tenantKey } from '../../contract/task-start.ts';
import type { Config } from '../../runtime/config.ts';
import { priorityOf } from '../../runtime/priority.ts';
import type { agentTaskWorkflow } from '../../workflows/agent-task/workflow.ts';
import type { ingestWorkflow } from '../../workflows/ingest/workflow.ts';
import { inTime } from '../../runtime/in-time.ts';

/** How long Temporal may take to accept a start or a cancel before the caller is told to come back. */
export const temporalDeadlineMs = 5_000;

/** Starts workflows so that a repeat finds the first one: ids come from our rows, a second start is a success. */
export const createStarters = (client: Client, config: Pick<Config, 'ALFRED_TENANTS'>) => {
  const once = async (start: () => Promise<unknown>) => {
    try {
      await inTime(client, temporalDeadlineMs, start);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  };
  return {
    /** @param task `priority`: 1 (first) to 5 (last), default 3 */
    task: ({ priority, ...task }: TaskRef & { head: MessageHead; priority?: number | undefined }) =>
      once(() =>
        client.workflow.start<typeof agentTaskWorkflow>('agentTaskWorkflow', {
          ...taskStart(task, priorityOf(config, task.tenant, priority)),
          workflowIdConflictPolicy: 'USE_EXISTING',
          requestEagerStart: true,
        }),
      ),

    ingestion: ({ ingestionId, tenant, subject }: Scope & { ingestionId: string }) =>
      once(() =>
        client.workflow.start<typeof ingestWorkflow>('ingestWorkflow', {
          workflowId: ingestionWorkflowId(ingestionId),
          taskQueue: documentsQueue,
          args: [{ ingestionId, tenant, subject }],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          requestEagerStart: true,
          workflowTaskTimeout: '5s',
          priority: priorityOf(config, tenant),
          typedSearchAttributes: [{ key: tenantKey, value: tenant }],
          staticSummary: `documents · ingestion ${ingestionId}`,
        }),
      ),
  };
};

export type Starters = ReturnType<typeof createStarters>;
