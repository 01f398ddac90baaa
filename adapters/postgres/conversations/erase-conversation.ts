import { sql } from 'kysely';
import type { ConversationRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { eraseTasks } from '../erasure/erase-tasks.ts';
import { hideBelow } from '../erasure/hide-below.ts';
import { isAnyUndone } from '../erasure/open-undo.ts';
import { removeWithContents } from '../erasure/unused-contents.ts';
import { listConnectedMessages } from '../messages/connected-messages.ts';

/** Rows per transaction. */
const batchSize = 500;

/**
 * Removes the messages, results and events of a deleted conversation, in small transactions. Rows of its tasks and
 * model calls stay without their contents, so that the reported spending stays right.
 *
 * No other conversation uses its messages: the first one carries the conversation's id, so all hashes differ. Contents
 * may be shared; those that other rows of the same subject refer to stay.
 *
 * Safe to repeat after an interruption: the messages, which lead to everything else, are removed last, together with
 * the conversation's row.
 *
 * @returns false when nothing was removed, because a task of it is being undone
 */
export async function eraseConversation(db: Database, ref: ConversationRef): Promise<boolean> {
  const { conversationId, tenant, subject } = ref;
  const tasks = await db
    .selectFrom('tasks')
    .select('id')
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('conversation_id', '=', conversationId)
    .orderBy('id')
    .execute();
  const ids = tasks.map(({ id }) => id);
  if (await isAnyUndone(db, ids)) return false;
  await hideBelow(db, ids);
  const messages = await listConnectedMessages(
    db,
    ref,
    sql`
      select head from conversations where id = ${conversationId}
      union select head from conversation_messages where conversation_id = ${conversationId}
      union select head from model_calls where task_id = any(${ids}::uuid[])
      union select input_head from tasks where id = any(${ids}::uuid[])`,
  );
  await eraseTasks(db, ref, ids);
  await eraseMessagesOfPeople(db, ref);
  await eraseResults(db, ref, messages);
  while ((await deleteEvents(db, conversationId)) === batchSize);
  await db.transaction().execute(async (trx) => {
    // Deletes its last events too (on delete cascade).
    await trx.deleteFrom('conversations').where('id', '=', conversationId).execute();
    await sql`
      delete from messages where tenant = ${tenant} and subject = ${subject} and hash = any(${messages}::text[])`.execute(
      trx,
    );
  });
  return true;
}

/** Removes the messages of people. */
async function eraseMessagesOfPeople(db: Database, ref: ConversationRef): Promise<void> {
  const { conversationId } = ref;
  while (true) {
    let removed = 0;
    await removeWithContents(db, ref, async (trx) => {
      const { rows } = await sql<{ hash: string }>`
        delete from conversation_messages where conversation_id = ${conversationId} and id = any(array(
          select id from conversation_messages where conversation_id = ${conversationId} limit ${batchSize}))
        returning content_hash as hash`.execute(trx);
      removed = rows.length;
      return rows.map(({ hash }) => hash);
    });
    if (removed < batchSize) return;
  }
}

/** Removes the results that the messages name, and whose receipts are gone. */
async function eraseResults(db: Database, ref: ConversationRef, messages: string[]): Promise<void> {
  for (let start = 0; start < messages.length; start += batchSize) {
    const batch = messages.slice(start, start + batchSize);
    const { rows } = await sql<{ hash: string }>`
      select distinct r #>> '{}' as hash from messages m, jsonb_path_query(m.body, '$.**.results[*].result') r
      where m.tenant = ${ref.tenant} and m.subject = ${ref.subject} and m.hash = any(${batch}::text[])`.execute(db);
    const hashes = rows.map(({ hash }) => hash);
    if (hashes.length > 0) await removeWithContents(db, ref, async () => hashes);
  }
}

/** @returns how many events were deleted, at most a batch */
async function deleteEvents(db: Database, conversationId: string): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from conversation_events where conversation_id = ${conversationId} and seq in (
      select seq from conversation_events where conversation_id = ${conversationId} order by seq limit ${batchSize})`.execute(
    db,
  );
  return Number(numAffectedRows ?? 0);
}
