import { ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { documentsQueue, sourceScheduleId, sourceWorkflowId } from '../../contract/ids.ts';
import type { SourceControl, SourceRow, Sources, Workflows as WorkflowsPort } from '../../contract/ports/index.ts';
import type { Reach, Scope, SourceRef } from '../../contract/references.ts';
import { reconcileSync } from '../../contract/rules/ingestion-reconciliation.ts';
import { startGraceMs } from '../../contract/rules/task-reconciliation.ts';
import { ownerSearchAttributes } from '../../contract/task-start.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { callDeadlineMs } from './deadlines.ts';
import { keepInLine } from './keep-in-line.ts';
import type { ReadReconciled } from './read-reconciled.ts';
import { workflowTaskTimeout, type Workflows } from './start-workflow.ts';
import type { ScheduleDefinition, TemporalSchedules } from './temporal-schedules.ts';

export type SourceControlDeps = {
  client: Client;
  sources: Pick<Sources, 'change' | 'create' | 'delete' | 'discard' | 'endLostSync' | 'get' | 'requestSync'>;
  workflows: WorkflowsPort;
};
type Deps = SourceControlDeps & { readReconciled: ReadReconciled; temporalSchedules: TemporalSchedules };

export const createSourceControl = (deps: Deps): SourceControl => {
  const { sources, temporalSchedules } = deps;
  const send = (scope: Scope, { id, everyS }: SourceRow) =>
    keepInLine(
      everyS,
      async () => (await sources.get(scope, id))?.everyS,
      async (interval) => {
        if (interval == null) await temporalSchedules.delete(sourceScheduleId(id));
        else await temporalSchedules.ensure(sourceScheduleId(id), sourceScheduleDefinition(refOf(scope, id), interval));
      },
    );
  return {
    read: (reach, sourceId) => read(deps, reach, sourceId),

    async create(principal, request, { idempotencyKey }) {
      const { isNew, ...row } = await sources.create(principal, request, { idempotencyKey });
      const source = refOf(principal, row.id);
      try {
        if (row.everyS !== null)
          await temporalSchedules.create(sourceScheduleId(row.id), sourceScheduleDefinition(source, row.everyS));
        if (isNew || isUnderWay(row)) await startSync(deps, source);
      } catch (error) {
        // With a key the caller's repeat continues with this source; without one it would be in the way of a repeat.
        if (idempotencyKey === undefined) {
          await temporalSchedules.delete(sourceScheduleId(row.id)).catch(() => undefined);
          await sources.discard(principal, row.id);
        }
        throw error;
      }
      return row;
    },

    async change(scope, sourceId, change) {
      const before = await sources.get(scope, sourceId);
      const row = await sources.change(scope, sourceId, change);
      if (!row || change.everyS === undefined) return row;
      try {
        await send(scope, row);
      } catch (error) {
        // What Temporal did not take is not shown as changed. The caller repeats the request, with the other fields.
        if (before && (await sources.get(scope, sourceId))?.everyS === row.everyS)
          await sources.change(scope, sourceId, { everyS: before.everyS });
        throw error;
      }
      return row;
    },

    async sync(scope, sourceId) {
      const source = refOf(scope, sourceId);
      if (!(await sources.requestSync(source))) return undefined;
      await startSync(deps, source);
      return sources.get(scope, sourceId);
    },

    async delete(reach, sourceId, documents) {
      const deleteSchedule = () => temporalSchedules.delete(sourceScheduleId(sourceId));
      const row = await sources.get(reach, sourceId);
      const isShown = row !== undefined;
      // One that is being removed already is not shown any more: its owner can repeat the request.
      const scope = ownerOf(row, reach);
      // First in Temporal: while the source is there, a failed request can be repeated.
      if (isShown) await deleteSchedule();
      const existed = await sources.delete(scope, sourceId, documents);
      // A change at the same time may have made it again. If that fails, its runs find no source and do nothing.
      if (isShown) await deleteSchedule().catch(() => undefined);
      if (existed && documents === 'remove') await startSync(deps, refOf(scope, sourceId));
      return existed;
    },
  };
};

const startSync = ({ client, workflows }: Deps, source: SourceRef) =>
  withTemporalTimeout(client, callDeadlineMs, () => workflows.syncSource(source));

const ownerOf = (row: SourceRow | undefined, { tenant, subject }: Reach): Scope => ({
  tenant,
  subject: row?.owner ?? subject,
});

const read = ({ sources, readReconciled }: Deps, reach: Reach, sourceId: string) =>
  readReconciled<SourceRow>({
    workflowId: sourceWorkflowId(sourceId),
    read: () => sources.get(reach, sourceId),
    canBeStale: (row) => isUnderWay(row) && Date.now() - Date.parse(row.sync.requestedAt) >= startGraceMs,
    async correct(row, { status }) {
      const end = reconcileSync(status);
      if (!end) return false;
      // Ends only a sync that is as old as the one that was read: a new one may have been requested meanwhile.
      await sources.endLostSync(refOf(ownerOf(row, reach), sourceId), end, { olderThanMs: startGraceMs });
      return true;
    },
  });

/** The schedule that starts a sync every `everyS` seconds. */
export const sourceScheduleDefinition = (
  { sourceId, tenant, subject }: SourceRef,
  everyS: number,
): ScheduleDefinition => ({
  spec: { intervals: [{ every: everyS * 1_000 }] },
  action: {
    type: 'startWorkflow',
    workflowType: 'sourceDueWorkflow' satisfies keyof Workflows,
    // Temporal appends the time of each run; the sync itself is one workflow a source.
    workflowId: sourceScheduleId(sourceId),
    taskQueue: documentsQueue,
    args: [{ sourceId, tenant, subject }] satisfies Parameters<Workflows['sourceDueWorkflow']>,
    workflowTaskTimeout,
    typedSearchAttributes: ownerSearchAttributes({ tenant }),
  },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 min' },
  typedSearchAttributes: ownerSearchAttributes({ tenant }),
});

/** Drops what a principal holds beside its scope: workflow arguments hold nothing else. */
const refOf = ({ tenant, subject }: Scope, sourceId: string): SourceRef => ({ tenant, subject, sourceId });

const isUnderWay = ({ sync }: SourceRow) => sync.state === 'queued' || sync.state === 'running';
