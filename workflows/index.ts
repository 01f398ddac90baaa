/** The entry point of the workflow bundle. */
export { agentTaskWorkflow } from './agent-task/workflow.ts';
export { callbackWorkflow } from './callback/workflow.ts';
export { contactIngestWorkflow } from './contacts/ingest.ts';
export { contactSyncWorkflow } from './contacts/sync.ts';
export { conversationWorkflow } from './conversation/workflow.ts';
export { embedDocumentsWorkflow } from './embed/workflow.ts';
export { ingestWorkflow } from './ingest/workflow.ts';
export { modelOutageWorkflow } from './outage/workflow.ts';
export { scheduledRunWorkflow } from './schedule/workflow.ts';
export { sourceDueWorkflow, syncSourceWorkflow } from './source/workflow.ts';
export { sweepTasksWorkflow } from './sweep/workflow.ts';
export { undoTaskWorkflow } from './undo/workflow.ts';
