import { createModelActivities, type ModelDeps } from './call-model.ts';
import { createCallbackActivities, type CallbackDeps } from './deliver-callback.ts';
import { createIngestActivities, type IngestDeps } from './ingest.ts';
import { createOutageActivities, type OutageDeps } from './outage.ts';
import { createSweepActivities, type SweepDeps } from './sweep-tasks.ts';
import { createTaskActivities, type TaskDeps } from './tasks.ts';
import { createToolActivities, type ToolDeps } from './run-tool.ts';

export type ActivityDeps = ModelDeps & ToolDeps & TaskDeps & IngestDeps & OutageDeps & SweepDeps & CallbackDeps;

/** Everything a workflow can ask of the world. Workers choose what stands behind the ports. */
export const createActivities = (deps: ActivityDeps) => ({
  ...createTaskActivities(deps),
  ...createModelActivities(deps),
  ...createToolActivities(deps),
  ...createIngestActivities(deps),
  ...createOutageActivities(deps),
  ...createSweepActivities(deps),
  ...createCallbackActivities(deps),
});
export type Activities = ReturnType<typeof createActivities>;
