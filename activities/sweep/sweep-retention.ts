import type { ConversationControl, ConversationRows, Erasure, Retention } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';

export type RetentionSweepDeps = {
  erasure: Pick<Erasure, 'eraseDue' | 'expireTasks' | 'listExpiredConversations' | 'listTenants'>;
  conversationRows: Pick<ConversationRows, 'markDeleted'>;
  messages: Pick<ConversationControl, 'wake'>;
  /** How long a tenant keeps content. */
  retentionOf(tenant: string): Retention;
  log: Logger;
};

/** Rows per query, and queries per sweep and tenant: the next sweep goes on. */
const batchSize = 50;
const maxBatches = 20;

/** Removes the content of deleted tasks, and of tasks and conversations that are older than their tenant keeps them. */
export async function sweepRetention(deps: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  const { erasure, retentionOf, log } = deps;
  await inBatches(signal, () => erasure.eraseDue(batchSize));
  for (const tenant of await erasure.listTenants()) {
    const { tasksDays, conversationsDays } = retentionOf(tenant);
    if (tasksDays !== undefined) {
      const expired = await inBatches(signal, () => erasure.expireTasks(tenant, tasksDays, batchSize));
      if (expired > 0) log.info({ tenant, expired }, 'tasks were deleted that had reached the end of their retention');
    }
    if (conversationsDays !== undefined) {
      const expired = await inBatches(signal, () => expireConversations(deps, tenant, conversationsDays));
      if (expired > 0)
        log.info({ tenant, expired }, 'conversations were deleted that had reached the end of their retention');
    }
  }
}

/** Repeats until a batch is not full. @returns how many rows there were */
async function inBatches(signal: AbortSignal, next: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < maxBatches; batch++) {
    signal.throwIfAborted();
    const count = await next();
    total += count;
    if (count < batchSize) break;
  }
  return total;
}

/** Deletes conversations as their owners would. Their workflows erase them. */
async function expireConversations(
  { erasure, conversationRows, messages, log }: RetentionSweepDeps,
  tenant: string,
  days: number,
): Promise<number> {
  const expired = await erasure.listExpiredConversations(tenant, days, batchSize);
  for (const conversation of expired) {
    const { conversationId } = conversation;
    await conversationRows.markDeleted(conversation, conversationId);
    // When Temporal does not answer now, a later sweep wakes every deleted conversation that is still there.
    await messages.wake(conversation).catch((error: unknown) => {
      log.warn({ err: error, conversationId }, 'a deleted conversation will be erased later');
    });
  }
  return expired.length;
}
