// Ids and names that several folders share. Zod is not imported here, because workflows import this file.

export const taskWorkflowId = (taskId: string) => `task/${taskId}`;
export const ingestionWorkflowId = (ingestionId: string) => `ingestion/${ingestionId}`;

/** Extracts the task id from a workflow id. @returns undefined when the workflow is not a task */
export const taskIdOf = (workflowId: string) => (workflowId.startsWith('task/') ? workflowId.slice(5) : undefined);

export const conversationWorkflowId = (conversationId: string) => `conversation/${conversationId}`;
/** The workflow that undoes what a task has changed, after the task has ended. */
export const undoWorkflowId = (taskId: string) => `undo/${taskId}`;
/** @param ownerId the id of the task or upload that the callback reports */
export const callbackWorkflowId = (ownerId: string) => `callback/${ownerId}`;
/** Id of the Temporal schedule. The workflow ids of the schedule's runs begin with this id. */
export const scheduleWorkflowId = (scheduleId: string) => `schedule/${scheduleId}`;

/** The schedule that a workflow id, and so the key of a run, begins with. @returns undefined when it is no run's */
export const scheduleIdOf = (workflowId: string) =>
  /^schedule\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-|$)/.exec(workflowId)?.[1];

export const contactIngestWorkflowId = (ingestId: string) => `contact-ingest/${ingestId}`;
/** Each tenant has one workflow that writes its contacts to the CRM. */
export const contactSyncWorkflowId = (tenant: string) => `contact-sync/${tenant}`;

/** Each source has one workflow, so a second start finds the running workflow. */
export const sourceWorkflowId = (sourceId: string) => `source/${sourceId}`;
/** Id of the Temporal schedule that requests a source's syncs. The workflow ids of its runs begin with this id. */
export const sourceScheduleId = (sourceId: string) => `source-due/${sourceId}`;

export const agentQueue = (agent: string) => `agent-${agent}`;
export const isAgentQueue = (queue: string) => queue.startsWith(agentQueue(''));

/** The name that an agent has for the time of a test. The names of all other agents have no dot. */
export const testAgentName = (agent: string, test: string) => `${agent.slice(0, 48)}.test-${test}`;
/** SQL pattern of such names: nothing is posted about their tasks. */
export const testAgentPattern = '%.test-%';

export const documentsQueue = 'documents';
/** The queue for housekeeping, such as the sweep: the periodic comparison of rows with their workflows. */
export const systemQueue = 'system';

/** The one workflow that embeds every chunk without a vector. */
export const embedWorkflowId = 'embed-documents';

export const outageWorkflowId = (model: string) => `outage/${model}`;

/** Names of signals, for code that must not load workflow code. */
export const signalName = { resume: 'resume', parked: 'parked', steer: 'steer', wake: 'wake' } as const;

/** Names of updates, for code that must not load workflow code. */
export const updateName = { message: 'message', stop: 'stop', decide: 'decide', budget: 'budget' } as const;

/** Ids of the budgets that a model call is charged to. `day` is a UTC day like `2026-11-24`. */
export const budgetId = {
  task: (taskId: string) => `task/${taskId}`,
  agent: (tenant: string, agent: string, day: string) => `agent/${tenant}/${agent}/${day}`,
  tenant: (tenant: string, day: string) => `tenant/${tenant}/${day}`,
};

export const sweepScheduleId = 'alfred-sweep-tasks';

/** Postgres NOTIFY channel. The payload is the id of a task, conversation or upload, and ` end` when it has ended. */
export const taskEventsChannel = 'task_events';
