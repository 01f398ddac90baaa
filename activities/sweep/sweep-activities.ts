import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withHeartbeat } from '../activity-context.ts';
import { compareStart, compareTasks, type CompareDeps, type ComparePosition } from './compare-tasks.ts';
import { measureTasks, type MeasureDeps } from './measure-tasks.ts';
import { pageSize } from './open-rows.ts';
import { inBatches } from './in-batches.ts';
import { resumeUndos, type UndoSweepDeps } from './resume-undos.ts';
import { runEach } from './run-each.ts';
import { sweepDocuments, type DocumentSweepDeps } from './sweep-documents.ts';
import { sweepPartitions, type PartitionSweepDeps } from './sweep-partitions.ts';
import { sweepRetention, type RetentionSweepDeps } from './sweep-retention.ts';
import { releaseTenants } from './release-tenants.ts';
import { wakeConversations, type WakeDeps } from './wake-conversations.ts';
import { withCursor } from './with-cursor.ts';
import type {
  Callbacks,
  ConversationRows,
  Ledger,
  ScheduleAlignment,
  Tasks,
  Tenants,
  Workflows,
  WorkflowSurvey,
} from '../../contract/ports/index.ts';

export type SweepDeps = Omit<
  CompareDeps & MeasureDeps & WakeDeps & UndoSweepDeps & DocumentSweepDeps & RetentionSweepDeps & PartitionSweepDeps,
  'callbacks' | 'conversationRows' | 'tasks' | 'workflows'
> & {
  callbacks: Pick<Callbacks, 'listOverdue' | 'removeOldSecrets'>;
  conversationRows: Pick<ConversationRows, 'listOpen' | 'markDeleted'>;
  ledger: Pick<Ledger, 'writeOffLost' | 'countUsage'>;
  tasks: Tasks;
  workflows: Workflows;
  survey: WorkflowSurvey;
  tenants: Pick<Tenants, 'listReleased'>;
  scheduleAlignment: ScheduleAlignment;
  metrics: Metrics;
  log: Logger;
};

/** The steps of the sweep. Each stands alone: an error in one does not keep the others from running. */
export const createSweepActivities = (deps: SweepDeps) => {
  const compare = (isFull: boolean) =>
    withCursor<ComparePosition, { corrected: number; isHalted: boolean }>(compareStart, (position, save, signal) =>
      compareTasks(deps, { isFull, position, save, signal }),
    );
  return {
    /** Compares rows with workflows. @param isFull also tasks whose rows have not changed for long */
    compareTasks: ({ isFull }: { isFull: boolean }): Promise<{ corrected: number; isHalted: boolean }> =>
      compare(isFull),

    /**
     * Wakes conversations, starts forgotten callbacks and undos, and settles model calls that were never heard of
     * again.
     */
    sweepRows: (): Promise<void> =>
      withHeartbeat(async (signal) => {
        await deps.namespace.check();
        await runEach(
          { log: deps.log, signal },
          {
            conversations: () => wakeConversations(deps, signal),
            callbacks: () => startCallbacks(deps, signal),
            undos: () => resumeUndos(deps, signal),
            tenants: () => releaseTenants(deps, signal),
            calls: () => writeOffLost(deps),
          },
        );
      }),

    /** Ends lost uploads and syncs, measures how far behind documents are, deletes expired files. */
    sweepDocuments: (): Promise<void> =>
      withHeartbeat(async (signal) => {
        await deps.namespace.check();
        await sweepDocuments(deps, signal);
      }),

    /**
     * Makes and drops partitions, counts calls into the sums of usage, and removes content that is deleted or has been
     * kept long enough.
     */
    sweepRetention: (): Promise<void> =>
      withHeartbeat(async (signal) => {
        await runEach(
          { log: deps.log, signal },
          {
            partitions: () => sweepPartitions(deps, signal),
            usage: async () => {
              await inBatches(signal, { size: 200 }, (limit) => deps.ledger.countUsage(limit));
            },
            retention: () => sweepRetention(deps, signal),
          },
        );
      }),

    /** Creates the schedules that Temporal lacks. */
    alignSchedules: (): Promise<{ created: number; deleted: number }> =>
      withHeartbeat(async (signal) => {
        await deps.namespace.check();
        return deps.scheduleAlignment.align(signal);
      }),

    /** Counts open tasks. @returns the agents that no worker serves */
    measureTasks: (): Promise<string[]> =>
      withHeartbeat(async (signal) => {
        await deps.namespace.check();
        return measureTasks(deps, signal);
      }),

    /** The whole sweep of workflows from before its steps were activities: they get the comparison only. */
    sweepTasks: async (): Promise<number> => (await compare(true)).corrected,
  };
};

async function writeOffLost({ ledger, log }: SweepDeps): Promise<void> {
  const lost = await ledger.writeOffLost();
  if (lost > 0) log.warn({ lost }, 'model calls of ended tasks were never heard of again');
}

/** Starts callbacks whose start failed, and callbacks of tasks whose end was only found by the sweep. */
async function startCallbacks({ callbacks, workflows, log }: SweepDeps, signal: AbortSignal): Promise<void> {
  for (const callback of await callbacks.listOverdue(pageSize)) {
    signal.throwIfAborted();
    await workflows.deliverCallback(callback).catch((error: unknown) => {
      const { tenant: _tenant, subject: _subject, ...owner } = callback;
      log.warn({ err: error, ...owner }, 'the delivery of a callback could not be started');
    });
  }
}
