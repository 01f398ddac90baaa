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
  Messages,
  Tasks,
  TaskState,
  Workflows,
} from '../../contract/ports/index.ts';
import { sweepDocuments, type DocumentSweepDeps } from './sweep-documents.ts';

export type SweepDeps = DocumentSweepDeps & {
  callbacks: Pick<Callbacks, 'listOverdue'>;
  ledger: Pick<Ledger, 'writeOffLost'>;
  tasks: Tasks;
  conversationRows: Pick<ConversationRows, 'listOpen'>;
  messages: Pick<Messages, 'wake'>;
  workflows: Workflows;
  metrics: Metrics;
  log: Logger;
};

export const createSweepActivities = (deps: SweepDeps) => {
  const { callbacks, ledger, tasks, workflows, metrics, log } = deps;
  const correct = async ({ taskId }: TaskState): Promise<boolean> => {
    // Temporal first, the row after: a workflow writes its end to the row before it ends.
    const state = await workflows.describe(taskWorkflowId(taskId));
    const found = await tasks.reconcile(taskId, state);
    if (found === undefined) return false;
    metrics.rowsCorrected.inc({ found });
    log.warn({ taskId, found }, 'a task row was brought in line with its workflow');
    return true;
  };

  return {
    /**
     * Compares every open row with its workflow, and every running workflow with its row, so that whatever somebody did
     * in Temporal's UI or CLI shows here too. @returns how many rows were corrected
     */
    sweepTasks: (): Promise<number> =>
      withHeartbeat(async (signal) => {
        let corrected = 0;
        for await (const page of candidates(tasks, workflows)) {
          for (const row of page) {
            signal.throwIfAborted();
            // One row that cannot be looked at does not keep the others from it.
            const wasWrong = await correct(row).catch((error: unknown) => {
              log.warn({ err: error, taskId: row.taskId }, 'a task row could not be compared with its workflow');
              return false;
            });
            if (wasWrong) corrected++;
          }
        }
        await wakeConversations(deps, signal);
        // Those whose start failed, and those of rows that were only now found to have ended.
        for (const callback of await callbacks.listOverdue(pageSize)) {
          signal.throwIfAborted();
          await workflows.deliverCallback(callback).catch((error: unknown) => {
            log.warn({ err: error, taskId: callback.taskId }, 'the delivery of a callback could not be started');
          });
        }
        await sweepDocuments(deps, signal);
        const lost = await ledger.writeOffLost();
        if (lost > 0) log.warn({ lost }, 'model calls of ended tasks were never heard of again');
        return corrected;
      }),
  };
};

async function* candidates(tasks: Tasks, workflows: Workflows): AsyncIterable<TaskState[]> {
  yield* openRows({ open: (page) => tasks.listOpen(page), idOf: ({ taskId }) => taskId });

  let ids: string[] = [];
  const ended = async () => (await tasks.listStates(ids)).filter(({ status }) => isEnded(status));
  for await (const taskId of workflows.runningTasks()) {
    ids.push(taskId);
    if (ids.length < pageSize) continue;
    yield await ended();
    ids = [];
  }
  yield await ended();
}

/** A conversation with something to do, whose workflow was terminated or lost, goes on from its rows. */
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
