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
 * A run that begins again from the rows asks at each step up to the last one that took messages. A step whose model was
 * already asked takes no new ones, because its answer would not know them.
 *
 * @returns the new head; `hasMore` when a later step has messages to take
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
  const pending = await readMessages(trx, task, sql`m.state = 'steering'`);
  const past = await readPast(trx, taskId, step);
  const takenHead = taken.at(-1)?.head;
  if (takenHead) return { head: takenHead, ...(pending.length > 0 || past.hasLater ? { hasMore: true } : {}) };

  let parent = head;
  if (results.length > 0) {
    const message = insertMessage(task, parent, {
      role: 'tool',
      results: results.map((result) => ({ isError: false, ...result })),
    });
    await message.statement.execute(trx);
    parent = message.head;
  }
  if (past.isAsked) return { head: parent, ...(pending.length > 0 || past.hasLater ? { hasMore: true } : {}) };
  const events: NewConversationEvent[] = [];
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
  return { head: parent, ...(past.hasLater ? { hasMore: true } : {}) };
}

/** What an earlier run did: whether it asked the model at this step, and took messages at a later one. */
async function readPast(trx: Database, taskId: string, step: number) {
  const { rows } = await sql<{ isAsked: boolean; hasLater: boolean }>`
    select
      exists (select from model_calls where task_id = ${taskId}::uuid and step = ${step} and purpose = 'turn'
        and outcome in ('open', 'completed')) as "isAsked",
      exists (select from conversation_messages where running_task_id = ${taskId}::uuid and taken_step > ${step}
        and state in ('steered', 'rolled_back')) as "hasLater"`.execute(trx);
  return rows[0] ?? { isAsked: false, hasLater: false };
}

async function readMessages(trx: Database, { taskId, tenant, subject }: TaskRef, condition: ReturnType<typeof sql>) {
  const { rows } = await sql<SteeringMessage>`
    select m.conversation_id, m.id, m.head, convert_from(c.bytes, 'UTF8') as text from conversation_messages m
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = m.content_hash
    where m.running_task_id = ${taskId}::uuid and ${condition} order by m.position`.execute(trx);
  return rows;
}
