import type {
  Callbacks,
  ConversationControl,
  ConversationRows,
  Erasure,
  Retention,
} from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { inBatches } from './in-batches.ts';

export type RetentionSweepDeps = {
  callbacks: Pick<Callbacks, 'removeOldSecrets'>;
  erasure: Pick<Erasure, 'eraseDue' | 'expireTasks' | 'listExpiredConversations' | 'listTenants'>;
  conversationRows: Pick<ConversationRows, 'markDeleted'>;
  messages: Pick<ConversationControl, 'wake'>;
  /** How long a tenant keeps content. */
  retentionOf: (tenant: string) => Retention;
  log: Logger;
};

/** Removes the content of deleted tasks, and of tasks and conversations that are older than their tenant keeps them. */
export async function sweepRetention(deps: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  const { callbacks, erasure, retentionOf, log } = deps;
  await inBatches(signal, {}, (limit) => callbacks.removeOldSecrets(limit));
  await inBatches(signal, {}, (limit) => erasure.eraseDue(limit));
  for (const tenant of await erasure.listTenants()) {
    const { tasksDays, conversationsDays } = retentionOf(tenant);
    if (tasksDays !== undefined) {
      const expired = await inBatches(signal, {}, (limit) => erasure.expireTasks(tenant, tasksDays, limit));
      if (expired > 0) log.info({ tenant, expired }, 'tasks were deleted that had reached the end of their retention');
    }
    if (conversationsDays !== undefined) {
      const expired = await inBatches(signal, {}, (limit) =>
        expireConversations(deps, { tenant, days: conversationsDays, limit }),
      );
      if (expired > 0)
        log.info({ tenant, expired }, 'conversations were deleted that had reached the end of their retention');
    }
  }
}

/** Deletes conversations as their owners would. Their workflows erase them. */
async function expireConversations(
  { erasure, conversationRows, messages, log }: RetentionSweepDeps,
  { tenant, days, limit }: { tenant: string; days: number; limit: number },
): Promise<number> {
  const expired = await erasure.listExpiredConversations(tenant, days, limit);
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
