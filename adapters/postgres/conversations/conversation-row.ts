import { sql } from 'kysely';
import type { BusyPolicy, MessageOutcome } from '../../../contract/conversation.ts';
import type { ConversationRef, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ConversationRow, Receipt } from '../../../contract/ports/index.ts';

/** Selects the conversations that a subject may see, as `conversationRowOf` needs them. */
export const selectConversations = (db: Database, { tenant, subject }: Scope) =>
  db
    .selectFrom('conversations as c')
    .selectAll('c')
    .select(
      sql<string | null>`(select m.task_id from conversation_messages m
        where m.conversation_id = c.id and m.state = 'running' limit 1)`.as('running_task_id'),
    )
    .select(
      sql<number>`(select count(*) from conversation_messages m
        where m.conversation_id = c.id and m.state in ('queued', 'steering'))`.as('queued'),
    )
    .where('c.tenant', '=', tenant)
    .where('c.subject', '=', subject)
    .where('c.deleted_at', 'is', null);

type ConversationColumns = Awaited<ReturnType<ReturnType<typeof selectConversations>['executeTakeFirstOrThrow']>>;

export const conversationRowOf = (row: ConversationColumns): ConversationRow => ({
  id: row.id,
  agent: row.agent,
  title: row.title,
  onBusy: row.on_busy as BusyPolicy,
  metadata: row.metadata as ConversationRow['metadata'],
  archived: row.archived_at !== null,
  messages: row.last_position,
  runningTaskId: row.running_task_id,
  queued: row.queued,
  lastSeq: row.last_seq,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export const refOf = ({ id, tenant, subject, agent }: Scope & { id: string; agent: string }): ConversationRef => ({
  conversationId: id,
  tenant,
  subject,
  agent,
});

/**
 * Locks the row of a conversation. Everything about a conversation is decided under this lock.
 *
 * @returns undefined when the conversation was deleted
 */
export const lockConversation = (db: Database, { conversationId, tenant, subject }: Omit<ConversationRef, 'agent'>) =>
  db
    .selectFrom('conversations')
    .selectAll()
    .where('id', '=', conversationId)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();

type DecidedMessage = {
  conversation_id: string;
  id: string;
  position: number | null;
  outcome: string | null;
  task_id: string;
  running_task_id: string | null;
};

/** The receipt of a message, or undefined until its conversation has decided about it. */
export function receiptOf(row: DecidedMessage): Receipt | undefined {
  if (row.outcome === null || row.position === null) return undefined;
  const outcome = row.outcome as MessageOutcome;
  return {
    id: row.id,
    conversationId: row.conversation_id,
    position: row.position,
    outcome,
    taskId: answeringTask(outcome, row),
    runningTaskId: row.running_task_id,
  };
}

/** The task that answers a message: its own, or the running one that was steered with it. */
function answeringTask(outcome: MessageOutcome, row: DecidedMessage): string | null {
  if (outcome === 'rejected') return null;
  return outcome === 'steered' ? row.running_task_id : row.task_id;
}
