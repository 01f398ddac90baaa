import { createHash } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, type Priority } from '@temporalio/common';
import { agentQueue, documentsQueue, ingestionWorkflowId, taskWorkflowId } from '../contract/ids.ts';
import type { Head, Scope, TaskRef } from '../contract/references.ts';
import { searchAttributeTypes } from '../contract/search-attributes.ts';
import { tenantSettings } from '../runtime/agent-settings.ts';
import type { Config } from '../runtime/config.ts';
import type { agentTaskWorkflow } from '../workflows/agent-task/workflow.ts';
import type { ingestWorkflow } from '../workflows/ingest/workflow.ts';
import { inTime } from './in-time.ts';

/** How long Temporal may take to accept a start or a cancel before the caller is told to come back. */
export const temporalDeadlineMs = 5_000;

const keyword = (name: keyof typeof searchAttributeTypes) => defineSearchAttributeKey(name, 'KEYWORD');
const agentKey = keyword('AlfredAgent');
const tenantKey = keyword('AlfredTenant');
const statusKey = keyword('AlfredStatus');

/** Starts workflows so that a repeat finds the first one: ids come from our rows, a second start is a success. */
export const createStarters = (client: Client, config: Pick<Config, 'ALFRED_TENANTS'>) => {
  /** Activities have the priority of their workflow. */
  const priorityOf = (tenant: string, priorityKey?: number): Priority => ({
    fairnessKey: fairnessKeyOf(tenant),
    fairnessWeight: tenantSettings(config, tenant).fairnessWeight,
    ...(priorityKey === undefined ? {} : { priorityKey }),
  });
  const once = async (start: () => Promise<unknown>) => {
    try {
      await inTime(client, temporalDeadlineMs, start);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  };
  return {
    /** @param task `priority`: 1 (first) to 5 (last), default 3 */
    task: ({
      taskId,
      tenant,
      subject,
      agent,
      head,
      priority,
    }: TaskRef & { head: Head; priority?: number | undefined }) =>
      once(() =>
        client.workflow.start<typeof agentTaskWorkflow>('agentTaskWorkflow', {
          workflowId: taskWorkflowId(taskId),
          taskQueue: agentQueue(agent),
          args: [{ taskId, tenant, subject, agent, head }],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          requestEagerStart: true,
          // A worker that dies holding a workflow task must not hold the task longer than this.
          workflowTaskTimeout: '5s',
          priority: priorityOf(tenant, priority),
          typedSearchAttributes: [
            { key: agentKey, value: agent },
            { key: tenantKey, value: tenant },
            { key: statusKey, value: 'running' },
          ],
          staticSummary: `${agent} · task ${taskId}`,
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
          priority: priorityOf(tenant),
          typedSearchAttributes: [{ key: tenantKey, value: tenant }],
          staticSummary: `documents · ingestion ${ingestionId}`,
        }),
      ),
  };
};
/** Temporal takes keys of up to 64 bytes. */
const fairnessKeyOf = (tenant: string) =>
  Buffer.byteLength(tenant) <= 64 ? tenant : createHash('sha256').update(tenant).digest('hex');

export type Starters = ReturnType<typeof createStarters>;
