import { defineSearchAttributeKey, type Priority } from '@temporalio/common';
import { agentQueue, taskWorkflowId } from './ids.ts';
import type { MessageHead, TaskRef } from './references.ts';
import { searchAttributeTypes } from './search-attributes.ts';

const keyword = (name: keyof typeof searchAttributeTypes) => defineSearchAttributeKey(name, 'KEYWORD');

/** Search attributes of a workflow that belongs to a tenant and, if `agent` is given, to an agent. */
export const ownerSearchAttributes = ({ agent, tenant }: { agent?: string; tenant: string }) => [
  ...(agent === undefined ? [] : [{ key: keyword('AlfredAgent'), value: agent }]),
  { key: keyword('AlfredTenant'), value: tenant },
];

/** Search attributes that a workflow of an agent has from its start. */
export const startSearchAttributes = ({ agent, tenant }: Pick<TaskRef, 'agent' | 'tenant'>) => [
  ...ownerSearchAttributes({ agent, tenant }),
  { key: keyword('AlfredStatus'), value: 'running' },
];

/**
 * Options that start a task's workflow, for the client and for a child of a conversation or schedule.
 * Idempotent: a second start with the same task id is rejected as a duplicate.
 */
export const taskStartOptions = (
  { taskId, tenant, subject, agent, head }: TaskRef & { head: MessageHead },
  priority: Priority,
) => ({
  workflowId: taskWorkflowId(taskId),
  taskQueue: agentQueue(agent),
  args: [{ taskId, tenant, subject, agent, head }] as [TaskRef & { head: MessageHead }],
  workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
  // Local activities run inside workflow tasks, so Temporal notices a dead worker after this time.
  workflowTaskTimeout: '5 s' as const,
  priority,
  typedSearchAttributes: startSearchAttributes({ agent, tenant }),
  staticSummary: `${agent} · task ${taskId}`,
  // What was asked and answered is not in Temporal.
  staticDetails: `Question, answer and steps: \`alfred tasks show ${taskId}\``,
});
