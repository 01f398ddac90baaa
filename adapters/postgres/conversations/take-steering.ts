import { sql, type RawBuilder } from 'kysely';
import type { MessageHead, TaskRef, ToolResultRef } from '../../../contract/references.ts';
import type { NewConversationEvent } from '../../../contract/conversation.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { insertMessage } from '../messages/message-store.ts';
import { selectSteeringBelow, toSteeringText } from './steering-below.ts';

type SteeringMessage = { conversation_id: string; id: string; text: string };

/** Where the messages of a task stand: the first task of a tree has a conversation, those below it have not. */
type Inbox = {
  /** The messages that wait, in order. */
  pending: SteeringMessage[];
  /** The head after the messages that this step has taken before. */
  takenHead: MessageHead | undefined;
  /** A later step has taken messages before. */
  hasLater: boolean;
  toText(text: string): string;
  /** Notes that a step has taken a message. */
  record(message: SteeringMessage, head: MessageHead): Promise<unknown>;
};

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
  const { rows } = await sql<{ parent_id: string | null }>`
    select parent_id from tasks where id = ${taskId} for update`.execute(trx);
  const isDelegated = rows[0]?.parent_id != null;
  const inbox = await (isDelegated ? inboxBelow(trx, task, step) : inboxOfConversation(trx, task, step));
  const { pending, takenHead, hasLater } = inbox;
  if (takenHead) return { head: takenHead, ...(pending.length > 0 || hasLater ? { hasMore: true } : {}) };

  let parent = head;
  if (results.length > 0) {
    const message = insertMessage(task, parent, {
      role: 'tool',
      results: results.map((result) => ({ isError: false, ...result })),
    });
    await message.statement.execute(trx);
    parent = message.head;
  }
  if (await isAsked(trx, taskId, step))
    return { head: parent, ...(pending.length > 0 || hasLater ? { hasMore: true } : {}) };
  for (const steering of pending) {
    const message = insertMessage(task, parent, { role: 'user', text: inbox.toText(steering.text) });
    await message.statement.execute(trx);
    await inbox.record(steering, message.head);
    parent = message.head;
  }
  const taskEvents = pending.map(({ id, text }) => ({
    type: 'message.steered' as const,
    data: { step, messageId: id, text },
  }));
  if (taskEvents.length > 0) await appendEvents(trx, task, { events: taskEvents });
  const events = pending.map(({ id }): NewConversationEvent => ({
    type: 'conversation.turn',
    data: { messageId: id, taskId, state: 'steered' },
  }));
  if (!isDelegated) await appendConversationEvents(trx, pending[0]?.conversation_id ?? '', events);
  return { head: parent, ...(hasLater ? { hasMore: true } : {}) };
}

async function inboxOfConversation(trx: Database, task: TaskRef, step: number): Promise<Inbox> {
  const { taskId } = task;
  await sql`
    select from conversations c
    where c.id = (select conversation_id from tasks where id = ${taskId}) for update`.execute(trx);
  const ofTask = sql`from conversation_messages where running_task_id = ${taskId}::uuid`;
  const hasTaken = sql`state in ('steered', 'rolled_back') and taken_step`;
  return {
    pending: await readMessages(
      trx,
      task,
      sql`select conversation_id, id, position, content_hash ${ofTask} and state = 'steering'`,
    ),
    takenHead: await readHead(trx, sql`select head ${ofTask} and ${hasTaken} = ${step} order by position desc limit 1`),
    hasLater: await exists(trx, sql`select ${ofTask} and ${hasTaken} > ${step}`),
    toText: (text) => text,
    record: ({ conversation_id, id }, head) =>
      sql`
        update conversation_messages set state = 'steered', taken_step = ${step}, head = ${head}
        where conversation_id = ${conversation_id} and id = ${id}`.execute(trx),
  };
}

/** Of a delegated task: the messages stay those of the first task, which takes them too. */
async function inboxBelow(trx: Database, task: TaskRef, step: number): Promise<Inbox> {
  const { taskId } = task;
  const ofTask = sql`from task_steering s where s.task_id = ${taskId}::uuid`;
  return {
    pending: await readMessages(trx, task, selectSteeringBelow(taskId)),
    takenHead: await readHead(
      trx,
      sql`
        select s.head from task_steering s join conversation_messages m
          on m.conversation_id = s.conversation_id and m.id = s.message_id
        where s.task_id = ${taskId}::uuid and s.taken_step = ${step} order by m.position desc limit 1`,
    ),
    hasLater: await exists(trx, sql`select ${ofTask} and s.taken_step > ${step}`),
    toText: toSteeringText,
    record: ({ conversation_id, id }, head) =>
      sql`
        insert into task_steering (task_id, conversation_id, message_id, taken_step, head)
        values (${taskId}, ${conversation_id}, ${id}, ${step}, ${head})`.execute(trx),
  };
}

/** Whether an earlier run has asked the model at this step. */
const isAsked = (trx: Database, taskId: string, step: number) =>
  exists(
    trx,
    sql`
      select from model_calls where task_id = ${taskId}::uuid and step = ${step} and purpose = 'turn'
        and outcome in ('open', 'completed')`,
  );

async function exists(trx: Database, query: RawBuilder<unknown>): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`select exists (${query}) as found`.execute(trx);
  return rows[0]?.found ?? false;
}

async function readHead(trx: Database, query: RawBuilder<unknown>): Promise<MessageHead | undefined> {
  const { rows } = await sql<{ head: MessageHead }>`${query}`.execute(trx);
  return rows[0]?.head;
}

/** @param query returns `conversation_id`, `id`, `position` and `content_hash` */
async function readMessages(trx: Database, { tenant, subject }: TaskRef, query: RawBuilder<unknown>) {
  const { rows } = await sql<SteeringMessage>`
    select m.conversation_id, m.id, convert_from(c.bytes, 'UTF8') as text from (${query}) m
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = m.content_hash
    order by m.position`.execute(trx);
  return rows;
}
