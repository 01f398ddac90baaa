import type {
  Callbacks,
  ConversationControl,
  ConversationRows,
  Erasure,
  Retention,
  TaskOwner,
} from '../../contract/ports/index.ts';
import type { ConversationRef } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { inBatches } from './in-batches.ts';

export type RetentionSweepDeps = {
  callbacks: Pick<Callbacks, 'removeOldSecrets'>;
  erasure: Pick<Erasure, 'eraseTask' | 'expireTasks' | 'listDue' | 'listExpiredConversations' | 'listTenants'>;
  conversationRows: Pick<ConversationRows, 'markDeleted'>;
  messages: Pick<ConversationControl, 'wake'>;
  /** How long a tenant keeps content. */
  retentionOf: (tenant: string) => Retention;
  metrics: Pick<Metrics, 'erasuresFailed'>;
  log: Logger;
};

/** Deleted tasks a page, and how many are erased in one sweep. */
const dueTasks = { pageSize: 50, most: 1_000 };

/** Removes the content of deleted tasks, and of tasks and conversations that are older than their tenant keeps them. */
export async function sweepRetention(deps: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  const { callbacks, erasure, retentionOf, log } = deps;
  await inBatches(signal, {}, (limit) => callbacks.removeOldSecrets(limit));
  await eraseDue(deps, signal);
  for (const tenant of await erasure.listTenants()) {
    const { tasksDays, conversationsDays } = retentionOf(tenant);
    if (tasksDays !== undefined) {
      const expired = await inBatches(signal, {}, async (limit) => {
        const tasks = await erasure.expireTasks(tenant, tasksDays, limit);
        await eraseEach(deps, tasks, signal);
        return tasks.length;
      });
      if (expired > 0) log.info({ tenant, expired }, 'tasks were deleted that had reached the end of their retention');
    }
    if (conversationsDays !== undefined) {
      const expired = await inBatches(signal, {}, (limit) =>
        expireConversations(deps, { tenant, days: conversationsDays, limit }, signal),
      );
      if (expired > 0)
        log.info({ tenant, expired }, 'conversations were deleted that had reached the end of their retention');
    }
  }
}

/** Erases deleted tasks in the order of their ids. One that cannot be erased does not keep those after it. */
async function eraseDue(deps: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  let after: string | undefined;
  let erased = 0;
  do {
    const tasks: TaskOwner[] = await deps.erasure.listDue({ after, limit: dueTasks.pageSize });
    erased += await eraseEach(deps, tasks, signal);
    after = tasks.at(-1)?.taskId;
  } while (after !== undefined && erased < dueTasks.most);
}

/** @returns how many were erased. The others stay due. */
async function eraseEach(deps: RetentionSweepDeps, tasks: TaskOwner[], signal: AbortSignal): Promise<number> {
  let erased = 0;
  for (const task of tasks) {
    signal.throwIfAborted();
    const { taskId } = task;
    if (await succeeds(deps, { taskId }, () => deps.erasure.eraseTask(task))) erased++;
  }
  return erased;
}

/** Deletes conversations as their owners would. Their workflows erase them. @returns how many were deleted */
async function expireConversations(
  deps: RetentionSweepDeps,
  { tenant, days, limit }: { tenant: string; days: number; limit: number },
  signal: AbortSignal,
): Promise<number> {
  const { erasure, conversationRows, messages, log } = deps;
  const expired = await erasure.listExpiredConversations(tenant, days, limit);
  let deleted = 0;
  for (const conversation of expired) {
    signal.throwIfAborted();
    const { conversationId } = conversation;
    let marked: ConversationRef | undefined;
    await succeeds(deps, { conversationId }, async () => {
      marked = await conversationRows.markDeleted(conversation, conversationId, { idleDays: days });
    });
    // A message has come meanwhile.
    if (!marked) continue;
    deleted++;
    // When Temporal does not answer now, a later sweep wakes every deleted conversation that is still there.
    await messages.wake(conversation).catch((error: unknown) => {
      log.warn({ err: error, conversationId }, 'a deleted conversation will be erased later');
    });
  }
  return deleted;
}

/** Whether an erasure succeeds. A failure is counted and logged, and the next sweep tries again. */
async function succeeds(
  { metrics, log }: RetentionSweepDeps,
  what: { taskId: string } | { conversationId: string },
  erase: () => Promise<void>,
): Promise<boolean> {
  try {
    await erase();
    return true;
  } catch (error) {
    metrics.erasuresFailed.inc();
    log.error({ err: error, ...what }, 'content could not be removed; the next sweep tries again');
    return false;
  }
}
