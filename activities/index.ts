import { createApprovalActivities, type ApprovalDeps } from './acting/approve.ts';
import { createModelActivities, type ModelDeps } from './model/call-model.ts';
import { createContactActivities, type ContactDeps } from './contacts/contact-activities.ts';
import { createConversationActivities, type ConversationDeps } from './conversations.ts';
import { createCallbackActivities, type CallbackDeps } from './deliver-callback.ts';
import { createDelegationActivities, type DelegationDeps } from './delegation/delegate.ts';
import { createEmbedActivities, type EmbedDeps } from './documents/embed-texts.ts';
import { createIngestActivities, type IngestDeps } from './documents/ingest.ts';
import { createOutageActivities, type OutageDeps } from './outage.ts';
import { createRemoteActivities, type RemoteDeps } from './remote/remote-run.ts';
import { createScheduledRunActivities, type ScheduledRunDeps } from './scheduled-runs.ts';
import { createSweepActivities, type SweepDeps } from './sweep/sweep-activities.ts';
import { createSyncActivities, type SyncDeps } from './documents/sync-source.ts';
import { createTaskActivities, type TaskDeps } from './tasks.ts';
import { createToolActivities, type ToolDeps } from './acting/run-tool.ts';
import { createUndoActivities, type UndoDeps } from './acting/undo.ts';

export type ActivityDeps = ModelDeps &
  ToolDeps &
  ApprovalDeps &
  DelegationDeps &
  RemoteDeps &
  UndoDeps &
  TaskDeps &
  ContactDeps &
  ConversationDeps &
  IngestDeps &
  EmbedDeps &
  OutageDeps &
  ScheduledRunDeps &
  SweepDeps &
  SyncDeps &
  CallbackDeps;

/**
 * All activities. The worker chooses the adapters behind the ports.
 *
 * The keys are wire names: they are in recorded histories, and workflows that run now will call them.
 */
export const createActivities = (deps: ActivityDeps) => {
  const { markWaiting, markResumed, ...taskActivities } = createTaskActivities(deps);
  const { releaseParkedTasks } = createOutageActivities(deps);
  return {
    ...taskActivities,
    waitFor: markWaiting,
    goOn: markResumed,
    letTasksGo: releaseParkedTasks,
    ...createModelActivities(deps),
    ...createToolActivities(deps),
    ...createApprovalActivities(deps),
    ...createDelegationActivities(deps),
    ...createRemoteActivities(deps),
    ...createUndoActivities(deps),
    ...createContactActivities(deps),
    ...createConversationActivities(deps),
    ...createIngestActivities(deps),
    ...createEmbedActivities(deps),
    ...createScheduledRunActivities(deps),
    ...createSweepActivities(deps),
    ...createSyncActivities(deps),
    ...createCallbackActivities(deps),
  };
};
export type Activities = ReturnType<typeof createActivities>;
