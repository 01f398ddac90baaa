import { createModelActivities, type ModelDeps } from './call-model.ts';
import { createConversationActivities, type ConversationDeps } from './conversations.ts';
import { createIngestActivities, type IngestDeps } from './ingest.ts';
import { createOutageActivities, type OutageDeps } from './outage.ts';
import { createSweepActivities, type SweepDeps } from './sweep-tasks.ts';
import { createTaskActivities, type TaskDeps } from './tasks.ts';
import { createToolActivities, type ToolDeps } from './run-tool.ts';

export type ActivityDeps = ModelDeps & ToolDeps & TaskDeps & ConversationDeps & IngestDeps & OutageDeps & SweepDeps;

/** Everything a workflow can ask of the world. Workers choose what stands behind the ports. */
export const createActivities = (deps: ActivityDeps) => ({
  ...createTaskActivities(deps),
  ...createModelActivities(deps),
  ...createToolActivities(deps),
  ...createConversationActivities(deps),
  ...createIngestActivities(deps),
  ...createOutageActivities(deps),
  ...createSweepActivities(deps),
});
export type Activities = ReturnType<typeof createActivities>;
