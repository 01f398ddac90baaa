import { sql } from 'kysely';
import type { MessageHead, TaskRef, ToolResultRef } from '../../../contract/references.ts';
import type { NewConversationEvent } from '../../../contract/conversation.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { insertMessage } from '../messages/message-store.ts';

type Row = { conversation_id: string; id: string; head: MessageHead | null; text: string };

/**
 * Puts the messages that were given to a running task behind its chain, before the call of a step. What a step took
 * stays what it took: a repeat comes to the same head.
 */
export async function takeSteering(
  trx: Database,
  task: TaskRef,
  { step, head, results }: { step: number; head: MessageHead; results: ToolResultRef[] },
): Promise<{ head: MessageHead; hasMore?: true }> {
  const { taskId } = task;
  // The task, its conversation, its messages: locked in this order everywhere.
  await sql`select from tasks where id = ${taskId} for update`.execute(trx);
  await sql`select from conversations c where c.id = (select conversation_id from tasks where id = ${taskId}) for update`.execute(
    trx,
  );
  const taken = await messagesOf(trx, task, sql`m.state in ('steered', 'rolled_back') and m.taken_step = ${step}`);
  const last = taken.at(-1)?.head;
  if (last) {
    const more = await messagesOf(trx, task, sql`m.state = 'steering'`);
    return { head: last, ...(more.length > 0 ? { hasMore: true } : {}) };
  }

  let parent = head;
  if (results.length > 0) {
    const message = { role: 'tool' as const, results: results.map((result) => ({ isError: false, ...result })) };
    const read = insertMessage(task, parent, message);
    await read.statement.execute(trx);
    parent = read.head;
  }
  const events: NewConversationEvent[] = [];
  const given = await messagesOf(trx, task, sql`m.state = 'steering'`);
  for (const { conversation_id, id, text } of given) {
    const message = insertMessage(task, parent, { role: 'user', text });
    await sql`with message as (${message.statement})
      update conversation_messages set state = 'steered', taken_step = ${step}, head = ${message.head}
      where conversation_id = ${conversation_id} and id = ${id}`.execute(trx);
    parent = message.head;
    events.push({ type: 'conversation.turn', data: { messageId: id, taskId, state: 'steered' } });
  }
  const told = given.map(({ id, text }) => ({ type: 'message.steered' as const, data: { step, messageId: id, text } }));
  if (told.length > 0) await appendEvents(trx, task, { events: told });
  await appendConversationEvents(trx, given[0]?.conversation_id ?? '', events);
  return { head: parent };
}

async function messagesOf(trx: Database, { taskId, tenant, subject }: TaskRef, which: ReturnType<typeof sql>) {
  const { rows } = await sql<Row>`
    select m.conversation_id, m.id, m.head, convert_from(c.bytes, 'UTF8') as text from conversation_messages m
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = m.content_hash
    where m.running_task_id = ${taskId}::uuid and ${which} order by m.position`.execute(trx);
  return rows;
}
