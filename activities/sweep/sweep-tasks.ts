import { conversationWorkflowId, taskWorkflowId } from '../../contract/ids.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withHeartbeat } from '../activity-context.ts';
import { openRows, pageSize } from './open-rows.ts';
import type {
  Callbacks,
  ConversationRows,
  Ledger,
  ConversationControl,
  Tasks,
  TaskRowState,
  Workflows,
} from '../../contract/ports/index.ts';
import { sweepDocuments, type DocumentSweepDeps } from './sweep-documents.ts';
import { inBatches } from './in-batches.ts';
import { sweepRetention, type RetentionSweepDeps } from './sweep-retention.ts';

export type SweepDeps = DocumentSweepDeps &
  RetentionSweepDeps & {
    callbacks: Pick<Callbacks, 'listOverdue' | 'removeOldSecrets'>;
    ledger: Pick<Ledger, 'writeOffLost' | 'countUsage'>;
    tasks: Tasks;
    conversationRows: Pick<ConversationRows, 'listOpen' | 'markDeleted'>;
    messages: Pick<ConversationControl, 'wake'>;
    workflows: Workflows;
    metrics: Metrics;
    log: Logger;
  };

export const createSweepActivities = (deps: SweepDeps) => {
  const { callbacks, ledger, tasks, workflows, metrics, log } = deps;
  /** @returns whether the row was wrong */
  const reconcile = async ({ taskId }: TaskRowState): Promise<boolean> => {
    // Temporal is read before the row, because a workflow writes its end to the row before it ends.
    const state = await workflows.describe(taskWorkflowId(taskId));
    const found = await tasks.reconcile(taskId, state);
    if (found === undefined) return false;
    metrics.rowsCorrected.inc({ found });
    log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
    return true;
  };

  return {
    /**
     * Compares every open row with its workflow, and every running workflow with its row, so that changes made in
     * Temporal's UI or CLI show in the rows.
     *
     * @returns how many task rows were corrected
     */
    sweepTasks: (): Promise<number> =>
      withHeartbeat(async (signal) => {
        let corrected = 0;
        for await (const page of candidates(tasks, workflows)) {
          for (const row of page) {
            signal.throwIfAborted();
            // An error with one row does not stop the others.
            const wasWrong = await reconcile(row).catch((error: unknown) => {
              log.warn({ err: error, taskId: row.taskId }, 'a task row could not be compared with its workflow');
              return false;
            });
            if (wasWrong) corrected++;
          }
        }
        await wakeConversations(deps, signal);
        // Callbacks whose start failed, and callbacks of tasks whose end was only found by this sweep.
        for (const callback of await callbacks.listOverdue(pageSize)) {
          signal.throwIfAborted();
          await workflows.deliverCallback(callback).catch((error: unknown) => {
            const { tenant: _tenant, subject: _subject, ...owner } = callback;
            log.warn({ err: error, ...owner }, 'the delivery of a callback could not be started');
          });
        }
        await sweepDocuments(deps, signal);
        await sweepRetention(deps, signal);
        await inBatches(signal, { size: 200 }, (limit) => ledger.countUsage(limit));
        const lost = await ledger.writeOffLost();
        if (lost > 0) log.warn({ lost }, 'model calls of ended tasks were never heard of again');
        return corrected;
      }),
  };
};

/** Pages of task rows that are open, then of rows that have ended although their workflow runs. */
async function* candidates(tasks: Tasks, workflows: Workflows): AsyncIterable<TaskRowState[]> {
  yield* openRows({ open: (page) => tasks.listOpen(page), idOf: ({ taskId }) => taskId });

  let ids: string[] = [];
  const endedRows = async () => (await tasks.listStates(ids)).filter(({ status }) => isEnded(status));
  for await (const taskId of workflows.runningTasks()) {
    ids.push(taskId);
    if (ids.length < pageSize) continue;
    yield await endedRows();
    ids = [];
  }
  yield await endedRows();
}

/** Restarts conversations that have something to do but no running workflow, because it was terminated or lost. */
async function wakeConversations(
  { conversationRows, messages, workflows, log }: SweepDeps,
  signal: AbortSignal,
): Promise<void> {
  const pages = openRows({
    open: (page) => conversationRows.listOpen(page),
    idOf: ({ conversationId }) => conversationId,
  });
  for await (const page of pages) {
    for (const conversation of page) {
      signal.throwIfAborted();
      const { conversationId } = conversation;
      try {
        const { status } = await workflows.describe(conversationWorkflowId(conversationId));
        if (status === 'running') continue;
        await messages.wake(conversation);
        log.warn({ conversationId, found: status }, 'a conversation with something to do was woken');
      } catch (error) {
        log.warn({ err: error, conversationId }, 'a conversation could not be looked at');
      }
    }
  }
}
