import { conversationWorkflowId, taskWorkflowId } from '../contract/ids.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { heartbeating } from './heartbeat.ts';
import type {
  Callbacks,
  ConversationRows,
  Documents,
  Embeddings,
  Ledger,
  Messages,
  Tasks,
  TaskState,
  Vectors,
  Workflows,
} from './ports.ts';

export type SweepDeps = {
  callbacks: Pick<Callbacks, 'forgotten'>;
  ledger: Pick<Ledger, 'writeOffLost'>;
  vectors: Pick<Vectors, 'behindSince'>;
  documents: Pick<Documents, 'pendingSince' | 'forgetFailedFiles'>;
  embeddings: Pick<Embeddings, 'embedder'>;
  tasks: Tasks;
  conversationRows: Pick<ConversationRows, 'open'>;
  messages: Pick<Messages, 'wake'>;
  workflows: Workflows;
  metrics: Metrics;
  log: Logger;
};

/** Rows are read in pages of this size. */
const pageSize = 200;
/** A row that changed this recently is left to whoever changed it. */
const settledMs = 5_000;

export const createSweepActivities = (deps: SweepDeps) => {
  const { callbacks, ledger, tasks, workflows, metrics, log } = deps;
  const correct = async ({ taskId }: TaskState): Promise<boolean> => {
    // Temporal first, the row after: a workflow writes its end to the row before it ends.
    const state = await workflows.describe(taskWorkflowId(taskId));
    const found = await tasks.correct(taskId, state);
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
      heartbeating(async (signal) => {
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
        for (const callback of await callbacks.forgotten(pageSize)) {
          signal.throwIfAborted();
          await workflows.deliverCallback(callback).catch((error: unknown) => {
            log.warn({ err: error, taskId: callback.taskId }, 'the delivery of a callback could not be started');
          });
        }
        await lookAtDocuments(deps);
        await forgetFailedFiles(deps, signal);
        const lost = await ledger.writeOffLost();
        if (lost > 0) log.warn({ lost }, 'model calls of ended tasks were never heard of again');
        return corrected;
      }),
  };
};

async function* candidates(tasks: Tasks, workflows: Workflows): AsyncIterable<TaskState[]> {
  let after: string | undefined;
  do {
    const page = await tasks.open({ olderThanMs: settledMs, after, limit: pageSize });
    yield page;
    after = page.length === pageSize ? page.at(-1)?.taskId : undefined;
  } while (after !== undefined);

  let ids: string[] = [];
  const ended = async () => (await tasks.states(ids)).filter(({ status }) => isEnded(status));
  for await (const taskId of workflows.runningTasks()) {
    ids.push(taskId);
    if (ids.length < pageSize) continue;
    yield await ended();
    ids = [];
  }
  yield await ended();
}

/** How far behind documents are. Texts have no vectors where the model came later, or the last attempts at them failed. */
async function lookAtDocuments({ documents, vectors, embeddings, workflows, metrics, log }: SweepDeps): Promise<void> {
  try {
    metrics.knowledgeLag.tell('file', await documents.pendingSince());
    const embedder = await embeddings.embedder();
    if (!embedder) return;
    const since = await vectors.behindSince(embedder.model);
    metrics.knowledgeLag.tell('vector', since);
    if (since) await workflows.embedDocuments();
  } catch (error) {
    log.warn({ err: error }, 'it could not be looked at how far documents are');
  }
}

/** Files that could not be read wait for a retry, but not for ever. */
async function forgetFailedFiles({ documents, log }: SweepDeps, signal: AbortSignal): Promise<void> {
  for (let forgotten = pageSize; forgotten === pageSize;) {
    signal.throwIfAborted();
    forgotten = await documents.forgetFailedFiles(pageSize);
    if (forgotten > 0) log.info({ files: forgotten }, 'files that could not be read are kept no longer');
  }
}

/** A conversation with something to do, whose workflow was terminated or lost, goes on from its rows. */
async function wakeConversations(
  { conversationRows, messages, workflows, log }: SweepDeps,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined;
  do {
    const page = await conversationRows.open({ olderThanMs: settledMs, after, limit: pageSize });
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
    after = page.length === pageSize ? page.at(-1)?.conversationId : undefined;
  } while (after !== undefined);
}
