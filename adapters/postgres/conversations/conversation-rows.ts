import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { ConversationRequest } from '../../../contract/conversation.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { ConversationRef, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ConversationRow, ConversationRows } from '../../../contract/ports/index.ts';
import { hashRequest } from '../hashes.ts';
import { requireCursor } from '../require-cursor.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { changeConversation } from './change-conversation.ts';
import { hideBelow } from '../erasure/hide-below.ts';
import { addCancelNote } from '../tasks/cancel-note.ts';
import { findComingTask } from './coming-task.ts';
import { createConversationMessages } from './conversation-messages.ts';
import { isIdle } from './idle-conversations.ts';
import {
  toConversationRow,
  lockConversation,
  conversationRefOf,
  selectConversations,
  selectSharedConversations,
} from './conversation-row.ts';

/** Conversations as rows, for the API and the sweep. */
export const createConversationRows = (db: Database): ConversationRows => ({
  ...createConversationMessages(db),

  create: (scope, request, options) => createConversation(db, scope, request, options),

  findComingTask: (scope, taskId) => findComingTask(db, scope, taskId),

  get: (scope, conversationId) => readConversation(db, scope, conversationId),

  async list(scope, { agent, archived, of, limit, cursor }) {
    requireCursor(cursor);
    const visible = of === 'shared' ? selectSharedConversations(db, scope) : selectConversations(db, scope);
    let query = visible
      .where('c.archived_at', archived === 'true' ? 'is not' : 'is', null)
      .orderBy('c.id', 'desc')
      .limit(limit + 1);
    if (agent !== undefined) query = query.where('c.agent', '=', agent);
    if (cursor !== undefined) query = query.where('c.id', '<', cursor);
    const rows = await query.execute();
    const page = rows.slice(0, limit).map(toConversationRow);
    return { conversations: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  async change(scope, conversationId, change) {
    await db.transaction().execute((trx) => changeConversation(trx, { ...scope, conversationId }, change));
    return readConversation(db, scope, conversationId);
  },

  async markDeleted(scope, conversationId, only) {
    while (true) {
      const marked = await db
        .transaction()
        .execute((trx) => markDeleted(trx, { ...scope, conversationId }, only?.idleDays))
        .catch(handleUndone);
      if (!marked) continue;
      await hideBelow(db, marked.taskIds ?? []);
      return marked.conversation;
    }
  },

  async recordStopRequest({ tenant, subject }, conversationId, note) {
    const row = await db
      .updateTable('conversations')
      .set({ stop_request: addCancelNote('stop_request', note) })
      .where('id', '=', conversationId)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('deleted_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    return row && conversationRefOf(row);
  },

  async listOpen({ olderThanMs, after, limit }) {
    let query = db
      .selectFrom('conversations as c')
      .select(['c.id', 'c.tenant', 'c.subject', 'c.agent'])
      .where('c.updated_at', '<', new Date(Date.now() - olderThanMs))
      // The conditions are those of the partial indexes, so that Postgres does not read idle conversations.
      .where(
        sql<boolean>`c.id in (
          select conversation_id from conversation_messages where state in ('queued', 'running', 'steering')
          union select id from conversations where deleted_at is not null)`,
      )
      .orderBy('c.id')
      .limit(limit);
    if (after !== undefined) query = query.where('c.id', '>', after);
    return (await query.execute()).map(conversationRefOf);
  },
});

type LockedRef = Omit<ConversationRef, 'agent'>;

async function readConversation(db: Database, scope: Scope, conversationId: string) {
  const row = await selectConversations(db, scope).where('c.id', '=', conversationId).executeTakeFirst();
  return row && toConversationRow(row);
}

async function createConversation(
  db: Database,
  scope: Scope,
  request: ConversationRequest,
  { idempotencyKey, onBusy, instructions }: Parameters<ConversationRows['create']>[2],
): Promise<ConversationRow> {
  const { agent, title, metadata, budget, priority, callback } = request;
  const id = newId();
  const requestHash = hashRequest(request);
  const inserted = await db
    .insertInto('conversations')
    .values({
      id,
      tenant: scope.tenant,
      subject: scope.subject,
      agent,
      title: title ?? null,
      on_busy: onBusy,
      metadata: JSON.stringify(metadata ?? {}),
      defaults: JSON.stringify({ budget, priority, callback }),
      idempotency_key: idempotencyKey ?? null,
      request_hash: requestHash,
      instructions: instructions ?? null,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'subject', 'idempotency_key']).where('idempotency_key', 'is not', null).doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  const query = selectConversations(db, scope).select('c.request_hash as hash');
  if (inserted) return toConversationRow(await query.where('c.id', '=', id).executeTakeFirstOrThrow());
  const key = idempotencyKey ?? '';
  const row = await query.where('c.idempotency_key', '=', key).executeTakeFirst();
  if (row?.hash === requestHash) return toConversationRow(row);
  throw new AlfredError(
    'idempotency_key_reused',
    row
      ? `The Idempotency-Key "${key}" was used with another request, for conversation ${row.id}.`
      : `The Idempotency-Key "${key}" was used for a conversation that was deleted.`,
  );
}

/** A turn began while the deletion waited for the conversation's lock, and its task is not marked. */
class TurnBegan extends Error {}

/** Something has happened in the conversation since it was listed as idle. */
class NotIdle extends Error {}

type Marked = { conversation: ConversationRef | undefined; taskIds?: string[] };

/** @returns undefined when the deletion must run again */
function handleUndone(error: unknown): Marked | undefined {
  if (error instanceof NotIdle) return { conversation: undefined };
  if (!(error instanceof TurnBegan)) throw error;
  return undefined;
}

/**
 * @param idleDays set: only if nothing has happened for so long. Asked again under the lock, which who stores a message
 *                 waits for: the message is then refused, or keeps the conversation
 * @throws TurnBegan, NotIdle to undo the transaction
 */
async function markDeleted(trx: Database, ref: LockedRef, idleDays: number | undefined): Promise<Marked> {
  const { tenant, subject, conversationId } = ref;
  // Locks the tasks before their conversation, as every transaction does.
  const hidden = await trx
    .updateTable('tasks')
    .set({ erased_at: new Date() })
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('conversation_id', '=', conversationId)
    // A second request does not postpone the removal.
    .where('erased_at', 'is', null)
    .returning('id')
    .execute();
  const row = await lockConversation(trx, ref);
  if (!row) return { conversation: undefined };
  if (idleDays !== undefined) {
    const idle = trx.selectFrom('conversations as c').select('c.id').where('c.id', '=', conversationId);
    if (!(await idle.where(isIdle(idleDays)).executeTakeFirst())) throw new NotIdle();
  }
  const missed = await trx
    .selectFrom('tasks')
    .select('id')
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('conversation_id', '=', conversationId)
    .where('erased_at', 'is', null)
    .executeTakeFirst();
  if (missed) throw new TurnBegan();
  await appendConversationEvents(trx, conversationId, [{ type: 'conversation.deleted', data: {} }]);
  await trx.updateTable('conversations').set({ deleted_at: new Date() }).where('id', '=', conversationId).execute();
  return { conversation: conversationRefOf(row), taskIds: hidden.map(({ id }) => id) };
}
