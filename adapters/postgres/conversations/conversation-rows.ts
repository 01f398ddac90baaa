import { sql } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ConversationRows } from '../../../contract/ports/index.ts';
import { requestHashOf } from '../request-hash.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { createConversationMessages } from './conversation-messages.ts';
import { conversationRowOf, lockConversation, refOf, selectConversations } from './conversation-row.ts';

/** Conversations as rows, for doors and the sweep. */
export const createConversationRows = (db: Database): ConversationRows => ({
  ...createConversationMessages(db),

  async create(scope, request, { idempotencyKey, onBusy }) {
    const { agent, title, metadata, budget, priority, callback } = request;
    const id = newId();
    const requestHash = requestHashOf(request);
    const made = await db
      .insertInto('conversations')
      .values({
        ...{ id, tenant: scope.tenant, subject: scope.subject, agent },
        title: title ?? null,
        on_busy: onBusy,
        metadata: JSON.stringify(metadata ?? {}),
        defaults: JSON.stringify({ budget, priority, callback }),
        idempotency_key: idempotencyKey ?? null,
        request_hash: requestHash,
      })
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'subject', 'idempotency_key']).where('idempotency_key', 'is not', null).doNothing(),
      )
      .returning('id')
      .executeTakeFirst();
    const found = selectConversations(db, scope).select('c.request_hash as hash');
    if (made) return conversationRowOf(await found.where('c.id', '=', id).executeTakeFirstOrThrow());
    const key = idempotencyKey ?? '';
    const row = await found.where('c.idempotency_key', '=', key).executeTakeFirst();
    if (row?.hash === requestHash) return conversationRowOf(row);
    throw new AlfredError(
      'idempotency_key_reused',
      row
        ? `The Idempotency-Key "${key}" was used with another request, for conversation ${row.id}.`
        : `The Idempotency-Key "${key}" was used for a conversation that was deleted.`,
    );
  },

  get: (scope, conversationId) => read(db, scope, conversationId),

  async list(scope, { agent, archived, limit, cursor }) {
    if (cursor !== undefined && !isUuid(cursor))
      throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
    let query = selectConversations(db, scope)
      .where('c.archived_at', archived === 'true' ? 'is not' : 'is', null)
      .orderBy('c.id', 'desc')
      .limit(limit + 1);
    if (agent !== undefined) query = query.where('c.agent', '=', agent);
    if (cursor !== undefined) query = query.where('c.id', '<', cursor);
    const rows = await query.execute();
    const page = rows.slice(0, limit).map(conversationRowOf);
    return { conversations: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  async change(scope, conversationId, { title, archived, onBusy }) {
    await db.transaction().execute(async (trx) => {
      const row = await lockConversation(trx, { ...scope, conversationId });
      if (!row) return;
      const after = {
        title: title ?? row.title,
        on_busy: onBusy ?? row.on_busy,
        archived_at: archived === undefined ? row.archived_at : archived ? (row.archived_at ?? new Date()) : null,
      };
      const isSame =
        after.title === row.title && after.on_busy === row.on_busy && after.archived_at === row.archived_at;
      if (isSame) return;
      await trx.updateTable('conversations').set(after).where('id', '=', conversationId).execute();
      const data = {
        title: after.title,
        archived: after.archived_at !== null,
        onBusy: after.on_busy as NonNullable<typeof onBusy>,
      };
      await appendConversationEvents(trx, conversationId, [{ type: 'conversation.changed', data }]);
    });
    return read(db, scope, conversationId);
  },

  markDeleted: ({ tenant, subject }, conversationId) =>
    db.transaction().execute(async (trx) => {
      // Tasks before their conversation, as everywhere.
      await trx
        .updateTable('tasks')
        .set({ erased_at: new Date() })
        .where('tenant', '=', tenant)
        .where('subject', '=', subject)
        .where('conversation_id', '=', conversationId)
        .execute();
      const row = await lockConversation(trx, { tenant, subject, conversationId });
      if (!row) return undefined;
      await appendConversationEvents(trx, conversationId, [{ type: 'conversation.deleted', data: {} }]);
      await trx.updateTable('conversations').set({ deleted_at: new Date() }).where('id', '=', conversationId).execute();
      return refOf(row);
    }),

  async recordStopRequest({ tenant, subject }, conversationId, request) {
    const row = await db
      .updateTable('conversations')
      .set({ stop_request: JSON.stringify(request) })
      .where('id', '=', conversationId)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('deleted_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    return row && refOf(row);
  },

  async listOpen({ olderThanMs, after, limit }) {
    let query = db
      .selectFrom('conversations as c')
      .select(['c.id', 'c.tenant', 'c.subject', 'c.agent'])
      .where('c.updated_at', '<', new Date(Date.now() - olderThanMs))
      // Written as the partial indexes have it, so that idle conversations are not read.
      .where(
        sql<boolean>`c.id in (
          select conversation_id from conversation_messages where state in ('queued', 'running', 'steering')
          union select id from conversations where deleted_at is not null)`,
      )
      .orderBy('c.id')
      .limit(limit);
    if (after !== undefined) query = query.where('c.id', '>', after);
    return (await query.execute()).map(refOf);
  },
});

async function read(db: Database, scope: Scope, conversationId: string) {
  const row = await selectConversations(db, scope).where('c.id', '=', conversationId).executeTakeFirst();
  return row && conversationRowOf(row);
}
