import type {
  BrowserSessions,
  Callbacks,
  ContactIngests,
  ConversationControl,
  ConversationRows,
  Erasure,
  Memories,
  RequestLimits,
  Retention,
  SlackRunResults,
  SocialWatches,
  TaskOwner,
} from '../../contract/ports/index.ts';
import type { ConversationRef } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { inBatches } from './in-batches.ts';
import { runEach } from './run-each.ts';

export type RetentionSweepDeps = {
  callbacks: Pick<Callbacks, 'removeOldSecrets'>;
  limits: Pick<RequestLimits, 'removeExpired'>;
  browserSessions: Pick<BrowserSessions, 'removeEnded'>;
  slackRunResults: Pick<SlackRunResults, 'giveUp'>;
  memories: Pick<Memories, 'removeExpired'>;
  socialWatches: Pick<SocialWatches, 'removeOld'>;
  contactIngests: Pick<ContactIngests, 'removeExpired'>;
  auditStore: { removeOldPending(limit: number): Promise<number> };
  erasure: Pick<Erasure, 'eraseTask' | 'expireTasks' | 'listDue' | 'listExpiredConversations' | 'listTenants'>;
  conversationRows: Pick<ConversationRows, 'markDeleted'>;
  messages: Pick<ConversationControl, 'wake'>;
  /** How long a tenant keeps content. */
  retentionOf: (tenant: string) => Retention;
  metrics: Pick<Metrics, 'erasuresFailed'>;
  log: Logger;
};

/** Deleted tasks a page; how many are tried in one sweep, and for how long, because its other steps wait meanwhile. */
const dueTasks = { pageSize: 50, most: 1_000, longestMs: 60_000 };

/** Removes the content of deleted tasks, and of tasks and conversations that are older than their tenant keeps them. */
export async function sweepRetention(deps: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  await runEach(
    { log: deps.log, signal },
    {
      secrets: async () => {
        await inBatches(signal, {}, (limit) => deps.callbacks.removeOldSecrets(limit));
      },
      limits: async () => {
        await inBatches(signal, { size: 1_000 }, (limit) => deps.limits.removeExpired(limit));
      },
      browserSessions: async () => {
        await inBatches(signal, { size: 1_000 }, (limit) => deps.browserSessions.removeEnded(limit));
      },
      memories: async () => {
        await inBatches(signal, { size: 1_000 }, (limit) => deps.memories.removeExpired(limit));
      },
      socialWatches: async () => {
        await inBatches(signal, { size: 1_000 }, (limit) => deps.socialWatches.removeOld(limit));
      },
      contacts: async () => {
        await inBatches(signal, { size: 1_000 }, (limit) => deps.contactIngests.removeExpired(limit));
      },
      auditPending: async () => {
        const removed = await inBatches(signal, { size: 1_000 }, (limit) => deps.auditStore.removeOldPending(limit));
        if (removed > 0)
          deps.log.warn({ removed }, 'what waited for the audit log for too long was removed: no API has taken it');
      },
      slackRunResults: () => giveUpRunResults(deps, signal),
      expiry: () => hideExpired(deps, signal),
      erasure: () => eraseDue(deps, signal),
    },
  );
}

/** Answers of schedules that no Slack door has taken. */
async function giveUpRunResults({ slackRunResults, log }: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  const counts = new Map<string, number>();
  await inBatches(signal, { size: 1_000 }, async (limit) => {
    const givenUp = await slackRunResults.giveUp(limit);
    for (const { tenant, count } of givenUp) counts.set(tenant, (counts.get(tenant) ?? 0) + count);
    return givenUp.reduce((sum, { count }) => sum + count, 0);
  });
  for (const [tenant, runs] of counts)
    log.error(
      { tenant, runs },
      'answers of schedules came to no channel of Slack for a day and are given up: a Slack door with SLACK_BOT_TOKEN posts those of SLACK_TENANT',
    );
}

/** Deletes what is older than its tenant keeps it. The content of tasks is then due, as that of others. */
async function hideExpired(deps: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  const { erasure, retentionOf, log } = deps;
  for (const tenant of await erasure.listTenants()) {
    const { tasksDays, conversationsDays } = retentionOf(tenant);
    if (tasksDays !== undefined) {
      const expired = await inBatches(signal, {}, (limit) => erasure.expireTasks(tenant, tasksDays, limit));
      if (expired > 0) log.info({ tenant, expired }, 'tasks were deleted that had reached the end of their retention');
    }
    if (conversationsDays !== undefined) {
      const expired = await expireConversations(deps, { tenant, days: conversationsDays }, signal);
      if (expired > 0)
        log.info({ tenant, expired }, 'conversations were deleted that had reached the end of their retention');
    }
  }
}

/** Erases deleted tasks in the order of their ids. One that cannot be erased does not keep those after it. */
async function eraseDue(deps: RetentionSweepDeps, signal: AbortSignal): Promise<void> {
  const endsAt = Date.now() + dueTasks.longestMs;
  let after: string | undefined;
  let tried = 0;
  do {
    const tasks: TaskOwner[] = await deps.erasure.listDue({ after, limit: dueTasks.pageSize });
    for (const task of tasks) {
      signal.throwIfAborted();
      if (tried === dueTasks.most || Date.now() >= endsAt) return;
      tried++;
      await succeeds(deps, { taskId: task.taskId }, () => deps.erasure.eraseTask(task));
    }
    after = tasks.at(-1)?.taskId;
  } while (after !== undefined);
}

/** Deletes conversations as their owners would. Their workflows erase them. @returns how many were deleted */
async function expireConversations(
  deps: RetentionSweepDeps,
  { tenant, days }: { tenant: string; days: number },
  signal: AbortSignal,
): Promise<number> {
  const { erasure, conversationRows, messages, log } = deps;
  let deleted = 0;
  // Those that could not be deleted stay the oldest.
  let failed = 0;
  await inBatches(signal, {}, async (limit) => {
    const expired = await erasure.listExpiredConversations(tenant, days, { limit, skip: failed });
    for (const conversation of expired) {
      signal.throwIfAborted();
      const { conversationId } = conversation;
      let marked: ConversationRef | undefined;
      const hasSucceeded = await succeeds(deps, { conversationId }, async () => {
        marked = await conversationRows.markDeleted(conversation, conversationId, { idleDays: days });
      });
      if (!hasSucceeded) failed++;
      // A message has come meanwhile.
      if (!marked) continue;
      deleted++;
      // When Temporal does not answer now, a later sweep wakes every deleted conversation that is still there.
      await messages.wake(conversation).catch((error: unknown) => {
        log.warn({ err: error, conversationId }, 'a deleted conversation will be erased later');
      });
    }
    return expired.length;
  });
  return deleted;
}

/** Whether it succeeds. A failure is counted and logged, and a later sweep tries again. */
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
    log.error({ err: error, ...what }, 'content could not be removed; a later sweep tries again');
    return false;
  }
}
