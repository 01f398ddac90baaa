/** Names that cross rooms. Plain functions, so that workflows bundle no schema library. */

export const taskWorkflowId = (taskId: string) => `task/${taskId}`;
export const ingestionWorkflowId = (ingestionId: string) => `ingestion/${ingestionId}`;

/** The task id inside a workflow id, or undefined when the workflow is not a task. */
export const taskIdOf = (workflowId: string) => (workflowId.startsWith('task/') ? workflowId.slice(5) : undefined);

export const agentQueue = (agent: string) => `agent-${agent}`;
export const documentsQueue = 'documents';
/** Housekeeping: the sweep that keeps task rows true. */
export const systemQueue = 'system';

export const sweepScheduleId = 'alfred-sweep-tasks';

/** Postgres NOTIFY channel; the payload is the task id, and ` end` behind it once the task has ended. */
export const taskEventsChannel = 'task_events';
