/** Names that cross rooms. Plain functions, so that workflows bundle no schema library. */

export const taskWorkflowId = (taskId: string) => `task/${taskId}`;
export const ingestionWorkflowId = (ingestionId: string) => `ingestion/${ingestionId}`;

/** The task id inside a workflow id, or undefined when the workflow is not a task. */
export const taskIdOf = (workflowId: string) => (workflowId.startsWith('task/') ? workflowId.slice(5) : undefined);

export const conversationWorkflowId = (conversationId: string) => `conversation/${conversationId}`;
export const callbackWorkflowId = (taskId: string) => `callback/${taskId}`;
/** Of the Temporal schedule; its runs' workflow ids begin with it. */
export const scheduleWorkflowId = (scheduleId: string) => `schedule/${scheduleId}`;

/** One for each source: a second start finds the first. */
export const sourceWorkflowId = (sourceId: string) => `source/${sourceId}`;
/** Of the Temporal schedule that asks for its syncs; its runs' workflow ids begin with it. */
export const sourceScheduleId = (sourceId: string) => `source-due/${sourceId}`;

export const agentQueue = (agent: string) => `agent-${agent}`;
export const documentsQueue = 'documents';
/** Housekeeping: the sweep that keeps task rows true. */
export const systemQueue = 'system';

/** One for all: it makes vectors of every document that has none. */
export const embedWorkflowId = 'embed-documents';

export const outageWorkflowId = (model: string) => `outage/${model}`;

/** Signals by their names, for those who load no workflow code. */
export const signalName = { resume: 'resume', parked: 'parked', steer: 'steer', wake: 'wake' } as const;

/** Updates by their names, for the same. */
export const updateName = { message: 'message', stop: 'stop' } as const;

/** What a model call is charged to. Days are UTC, `2026-11-24`. */
export const budgetId = {
  task: (taskId: string) => `task/${taskId}`,
  agent: (tenant: string, agent: string, day: string) => `agent/${tenant}/${agent}/${day}`,
  tenant: (tenant: string, day: string) => `tenant/${tenant}/${day}`,
};

export const sweepScheduleId = 'alfred-sweep-tasks';

/** Postgres NOTIFY channel; the payload is a task's or conversation's id, and ` end` behind it once that has ended. */
export const taskEventsChannel = 'task_events';
