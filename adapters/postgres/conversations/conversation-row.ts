import { sql } from 'kysely';
import type { BusyPolicy, MessageOutcome } from '../../../contract/conversation.ts';
import type { ConversationRef, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ConversationRow, Receipt } from '../../../contract/ports/index.ts';
import { sharedIds } from '../sharing/shared-rows.ts';

/** Selects the conversations of a subject, with the two computed columns that `toConversationRow` reads. */
export const selectConversations = (db: Database, { tenant, subject }: Scope) =>
  selectAll(db).where('c.tenant', '=', tenant).where('c.subject', '=', subject);

/** Selects the conversations of others that are shared with a subject. */
export const selectSharedConversations = (db: Database, scope: Scope) =>
  selectAll(db)
    .where('c.tenant', '=', scope.tenant)
    .where('c.subject', '<>', scope.subject)
    .where(sql<boolean>`c.id in (${sharedIds.conversations(scope)})`);

const selectAll = (db: Database) =>
  db
    .selectFrom('conversations as c')
    .selectAll('c')
    .select(
      sql<string | null>`(select m.task_id from conversation_messages m
        where m.conversation_id = c.id and m.state = 'running' limit 1)`.as('running_task_id'),
    )
    // A steering message counts as queued: it waits until the running task reads it, or for a turn of its own.
    .select(
      sql<number>`(select count(*) from conversation_messages m
        where m.conversation_id = c.id and m.state in ('queued', 'steering'))`.as('queued'),
    )
    .where('c.deleted_at', 'is', null);

type SelectedConversation = Awaited<ReturnType<ReturnType<typeof selectConversations>['executeTakeFirstOrThrow']>>;

export const toConversationRow = (selected: SelectedConversation): ConversationRow => ({
  id: selected.id,
  agent: selected.agent,
  title: selected.title,
  onBusy: selected.on_busy as BusyPolicy,
  metadata: selected.metadata as ConversationRow['metadata'],
  archived: selected.archived_at !== null,
  // Each decided message has a position: 1, 2, 3 … So the last position is the number of messages.
  messages: selected.last_position,
  runningTaskId: selected.running_task_id,
  queued: selected.queued,
  lastSeq: selected.last_seq,
  createdAt: selected.created_at.toISOString(),
  updatedAt: selected.updated_at.toISOString(),
});

export const conversationRefOf = ({
  id,
  tenant,
  subject,
  agent,
}: Scope & { id: string; agent: string }): ConversationRef => ({
  conversationId: id,
  tenant,
  subject,
  agent,
});

/**
 * Locks the row of a conversation. Every transaction that decides about this conversation's messages takes this lock,
 * so two decisions never overlap. A transaction that also locks a task locks the task first, so that no two deadlock.
 *
 * @returns undefined when there is no such conversation for this subject, or it was deleted
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

/** The columns of a message that hold its decision. Position and outcome are null until it is decided. */
type MessageDecisionColumns = {
  conversation_id: string;
  id: string;
  position: number | null;
  outcome: string | null;
  task_id: string;
  running_task_id: string | null;
};

/**
 * Builds the receipt of a message from its row.
 *
 * @returns undefined while the conversation has not decided about the message
 */
export function receiptOf(row: MessageDecisionColumns): Receipt | undefined {
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
function answeringTask(outcome: MessageOutcome, row: MessageDecisionColumns): string | null {
  if (outcome === 'rejected') return null;
  return outcome === 'steered' ? row.running_task_id : row.task_id;
}
