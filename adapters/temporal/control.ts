import type { Control } from '../../contract/ports/index.ts';
import { createApprovalControl, type ApprovalControlDeps } from './approval-control.ts';
import { createContactControl, type ContactControlDeps } from './contact-control.ts';
import { createIngestionControl, type IngestionControlDeps } from './ingestion-control.ts';
import { createReconciledReader } from './read-reconciled.ts';
import { createScheduleControl, type ScheduleControlDeps } from './schedule-control.ts';
import { createSourceControl, type SourceControlDeps } from './source-control.ts';
import { createTaskControl, type TaskControlDeps } from './task-control.ts';
import { createTemporalSchedules } from './temporal-schedules.ts';

export type ControlDeps = TaskControlDeps &
  ApprovalControlDeps &
  IngestionControlDeps &
  ContactControlDeps &
  ScheduleControlDeps &
  SourceControlDeps;

/**
 * What the API does with running work, on rows and Temporal's client.
 *
 * @param deps `client` must share its connection with the workers of this process for eager starts to work
 */
export function createControl(deps: ControlDeps): Control {
  const readReconciled = createReconciledReader(deps);
  const temporalSchedules = createTemporalSchedules(deps.client);
  return {
    tasks: createTaskControl({ ...deps, readReconciled }),
    approvals: createApprovalControl(deps),
    ingestions: createIngestionControl({ ...deps, readReconciled }),
    contacts: createContactControl({ ...deps, readReconciled }),
    schedules: createScheduleControl({ ...deps, temporalSchedules }),
    sources: createSourceControl({ ...deps, readReconciled, temporalSchedules }),
  };
}
