import { defineSearchAttributeKey, type Priority } from '@temporalio/common';
import { agentQueue, taskWorkflowId } from './ids.ts';
import type { MessageHead, TaskRef } from './references.ts';
import { searchAttributeTypes } from './search-attributes.ts';

const keyword = (name: keyof typeof searchAttributeTypes) => defineSearchAttributeKey(name, 'KEYWORD');

export const tenantKey = keyword('AlfredTenant');

/** What lists of workflows show of an agent's work from its start. */
export const startAttributes = ({ agent, tenant }: Pick<TaskRef, 'agent' | 'tenant'>) => [
  { key: keyword('AlfredAgent'), value: agent },
  { key: tenantKey, value: tenant },
  { key: keyword('AlfredStatus'), value: 'running' },
];

/** How a task's workflow starts, from a door and as the child of its conversation. A second start finds the first. */
export const taskStart = (
  { taskId, tenant, subject, agent, head }: TaskRef & { head: MessageHead },
  priority: Priority,
) => ({
  workflowId: taskWorkflowId(taskId),
  taskQueue: agentQueue(agent),
  args: [{ taskId, tenant, subject, agent, head }] as [TaskRef & { head: MessageHead }],
  workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
  // Local activities run inside workflow tasks: a dead worker is noticed after this.
  workflowTaskTimeout: '5s' as const,
  priority,
  typedSearchAttributes: startAttributes({ agent, tenant }),
  staticSummary: `${agent} · task ${taskId}`,
});
