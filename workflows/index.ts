/** The one file that is bundled. */
export { agentTaskWorkflow } from './agent-task/workflow.ts';
export { callbackWorkflow } from './callback/workflow.ts';
export { ingestWorkflow } from './ingest/workflow.ts';
export { modelOutageWorkflow } from './outage/workflow.ts';
export { sweepTasksWorkflow } from './sweep/workflow.ts';
