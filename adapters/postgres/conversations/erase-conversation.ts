import { sql } from 'kysely';
import type { ConversationRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { contentsKey } from '../messages/contents.ts';
import { stoppedHash } from './end-turn.ts';

/**
 * Removes the messages, results and events of a deleted conversation. Rows of its tasks
 * and model calls stay without their contents, so that the reported spending stays right.
 *
 * No other conversation uses its messages: the first one carries the conversation's id, so all
 * hashes differ. Contents may be shared; those that other rows of the same subject refer to stay.
 */
export async function eraseConversation(trx: Database, ref: ConversationRef): Promise<void> {
  const { conversationId, tenant, subject } = ref;
  // Held alone: no other transaction may find a content stored, and rely on it, while this one removes it.
  await sql`select pg_advisory_xact_lock(${contentsKey(ref)})`.execute(trx);
  const tasks = await trx
    .selectFrom('tasks')
    .select('id')
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('conversation_id', '=', conversationId)
    .orderBy('id')
    .forUpdate()
    .execute();
  const ids = tasks.map(({ id }) => id);
  const messages = await listMessages(trx, ref, ids);
  const contents = await listContents(trx, ref, ids, messages);

  for (const table of ['task_events', 'tool_calls', 'approvals', 'callbacks'] as const)
    await sql`delete from ${sql.table(table)} where task_id = any(${ids}::uuid[])`.execute(trx);
  await sql`update model_calls set head = null, result_hash = null where task_id = any(${ids}::uuid[])`.execute(trx);
  await sql`
    update tasks set erased_at = coalesce(erased_at, now()), metadata = '{}', result_hash = null, error_message = null,
      waiting = null, cancel_request = null
    where id = any(${ids}::uuid[])`.execute(trx);
  // Deletes its messages and events too (on delete cascade).
  await trx.deleteFrom('conversations').where('id', '=', conversationId).execute();
  await sql`
    delete from messages where tenant = ${tenant} and subject = ${subject} and hash = any(${messages}::text[])`.execute(
    trx,
  );
  await deleteUnusedContents(trx, ref, contents);
}

/**
 * The hashes of all messages that are connected with a head of the
 * conversation or its tasks, also of branches that no head names any more.
 */
async function listMessages(trx: Database, { conversationId, tenant, subject }: ConversationRef, ids: string[]) {
  const { rows } = await sql<{ hash: string }>`
    with recursive part (hash) as (
      select hash from (
        select head from conversations where id = ${conversationId}
        union select head from conversation_messages where conversation_id = ${conversationId}
        union select head from model_calls where task_id = any(${ids}::uuid[])
        union select input_head from tasks where id = any(${ids}::uuid[])
      ) heads (hash) where hash is not null
      union
      select next.hash from part p cross join lateral (
        select coalesce(m.parent, m.body->>'from') as hash from messages m
          where m.tenant = ${tenant} and m.subject = ${subject} and m.hash = p.hash
        union all
        select m.hash from messages m where m.tenant = ${tenant} and m.subject = ${subject} and m.parent = p.hash
        union all
        select m.hash from messages m
          where m.tenant = ${tenant} and m.subject = ${subject} and m.body->>'from' = p.hash
      ) next where next.hash is not null
    )
    select hash from part`.execute(trx);
  return rows.map(({ hash }) => hash);
}

/** The hashes of all contents that the conversation, its tasks and its messages refer to. */
async function listContents(
  trx: Database,
  { conversationId, tenant, subject }: ConversationRef,
  ids: string[],
  messages: string[],
) {
  const { rows } = await sql<{ hash: string }>`
    select hash from (
      select content_hash from conversation_messages where conversation_id = ${conversationId}
      union select result_hash from tasks where id = any(${ids}::uuid[])
      union select result_hash from model_calls where task_id = any(${ids}::uuid[])
      union select result_hash from tool_calls where task_id = any(${ids}::uuid[])
      union select full_hash from tool_calls where task_id = any(${ids}::uuid[])
      union select r #>> '{}' from messages m, jsonb_path_query(m.body, '$.**.results[*].result') r
        where m.tenant = ${tenant} and m.subject = ${subject} and m.hash = any(${messages}::text[])
    ) named (hash) where hash is not null and hash <> ${stoppedHash}`.execute(trx);
  return rows.map(({ hash }) => hash);
}

/** Deletes contents that no other row uses. Results in messages need no check: each has its receipt in `tool_calls`. */
async function deleteUnusedContents(trx: Database, { tenant, subject }: ConversationRef, hashes: string[]) {
  await sql`
    with used (hash) as (
      select m.content_hash from conversation_messages m join conversations c on c.id = m.conversation_id
        where c.tenant = ${tenant} and c.subject = ${subject} and m.content_hash = any(${hashes}::text[])
      union all
      select t.result_hash from tasks t
        where t.tenant = ${tenant} and t.subject = ${subject} and t.result_hash = any(${hashes}::text[])
      union all
      select c.result_hash from tasks t join model_calls c on c.task_id = t.id
        where t.tenant = ${tenant} and t.subject = ${subject} and c.result_hash = any(${hashes}::text[])
      union all
      select u.hash from tasks t join tool_calls c on c.task_id = t.id
        cross join lateral (values (c.result_hash), (c.full_hash)) u (hash)
        where t.tenant = ${tenant} and t.subject = ${subject} and u.hash = any(${hashes}::text[])
    )
    delete from contents where tenant = ${tenant} and subject = ${subject} and hash = any(${hashes}::text[])
      and hash not in (select hash from used)`.execute(trx);
}
