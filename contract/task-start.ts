import { defineSearchAttributeKey, type Priority } from '@temporalio/common';
import { agentQueue, taskWorkflowId } from './ids.ts';
import type { Head, TaskRef } from './references.ts';
import { searchAttributeTypes } from './search-attributes.ts';

const keyword = (name: keyof typeof searchAttributeTypes) => defineSearchAttributeKey(name, 'KEYWORD');
const agentKey = keyword('AlfredAgent');
const statusKey = keyword('AlfredStatus');
export const tenantKey = keyword('AlfredTenant');

/** How a task's workflow starts, whoever starts it: by its row's id, and once. */
export const taskStart = ({ taskId, tenant, subject, agent, head }: TaskRef & { head: Head }, priority: Priority) => ({
  workflowId: taskWorkflowId(taskId),
  taskQueue: agentQueue(agent),
  args: [{ taskId, tenant, subject, agent, head }] as [TaskRef & { head: Head }],
  workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
  // A worker that dies holding a workflow task must not hold the task longer than this.
  workflowTaskTimeout: '5s' as const,
  priority,
  typedSearchAttributes: [
    { key: agentKey, value: agent },
    { key: tenantKey, value: tenant },
    { key: statusKey, value: 'running' },
  ],
  staticSummary: `${agent} · task ${taskId}`,
});
