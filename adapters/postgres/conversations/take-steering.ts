import { sql } from 'kysely';
import type { MessageHead, TaskRef, ToolResultRef } from '../../../contract/references.ts';
import type { NewConversationEvent } from '../../../contract/conversation.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { insertMessage } from '../messages/message-store.ts';

type SteeringMessage = { conversation_id: string; id: string; head: MessageHead | null; text: string };

/**
 * Appends the steering messages of a running task to its chain, before the model call of
 * a step. A repeat for the same step takes the same messages and returns the same head.
 *
 * @returns the new head; `hasMore` when messages came after the step had taken its own
 */
export async function takeSteering(
  trx: Database,
  task: TaskRef,
  { step, head, results }: { step: number; head: MessageHead; results: ToolResultRef[] },
): Promise<{ head: MessageHead; hasMore?: true }> {
  const { taskId } = task;
  // Every transaction locks in this order: the task, its conversation, its messages.
  await sql`select from tasks where id = ${taskId} for update`.execute(trx);
  await sql`
    select from conversations c
    where c.id = (select conversation_id from tasks where id = ${taskId}) for update`.execute(trx);
  const taken = await readMessages(trx, task, sql`m.state in ('steered', 'rolled_back') and m.taken_step = ${step}`);
  const takenHead = taken.at(-1)?.head;
  if (takenHead) {
    const more = await readMessages(trx, task, sql`m.state = 'steering'`);
    return { head: takenHead, ...(more.length > 0 ? { hasMore: true } : {}) };
  }

  let parent = head;
  if (results.length > 0) {
    const message = insertMessage(task, parent, {
      role: 'tool',
      results: results.map((result) => ({ isError: false, ...result })),
    });
    await message.statement.execute(trx);
    parent = message.head;
  }
  const events: NewConversationEvent[] = [];
  const pending = await readMessages(trx, task, sql`m.state = 'steering'`);
  for (const { conversation_id, id, text } of pending) {
    const message = insertMessage(task, parent, { role: 'user', text });
    await sql`with message as (${message.statement})
      update conversation_messages set state = 'steered', taken_step = ${step}, head = ${message.head}
      where conversation_id = ${conversation_id} and id = ${id}`.execute(trx);
    parent = message.head;
    events.push({ type: 'conversation.turn', data: { messageId: id, taskId, state: 'steered' } });
  }
  const taskEvents = pending.map(({ id, text }) => ({
    type: 'message.steered' as const,
    data: { step, messageId: id, text },
  }));
  if (taskEvents.length > 0) await appendEvents(trx, task, { events: taskEvents });
  await appendConversationEvents(trx, pending[0]?.conversation_id ?? '', events);
  return { head: parent };
}

async function readMessages(trx: Database, { taskId, tenant, subject }: TaskRef, condition: ReturnType<typeof sql>) {
  const { rows } = await sql<SteeringMessage>`
    select m.conversation_id, m.id, m.head, convert_from(c.bytes, 'UTF8') as text from conversation_messages m
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = m.content_hash
    where m.running_task_id = ${taskId}::uuid and ${condition} order by m.position`.execute(trx);
  return rows;
}
