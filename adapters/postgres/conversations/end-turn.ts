import { sql } from 'kysely';
import type { NewConversationEvent } from '../../../contract/conversation.ts';
import type { StoredMessage, ToolMessage } from '../../../contract/messages.ts';
import type { ConversationRef, MessageHead, Scope, ToolMisuse } from '../../../contract/references.ts';
import type { TaskResult } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { changeConversation } from './change-conversation.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { insertContent } from '../messages/contents.ts';
import { contentHash } from '../hashes.ts';
import { lockConversation } from './conversation-row.ts';
import { insertMessage } from '../messages/message-store.ts';
import { storableJson } from '../storable-json.ts';

type MovedMessage = { id: string; task_id: string; state: 'done' | 'rolled_back' | 'queued' };

/**
 * Ends the turn of a task that has ended. The conversation goes on from the task's last message, unless a later message
 * rolled the turn back. Steering messages that the task has not taken are queued for turns of their own.
 *
 * @returns the agent that the task has handed the conversation over to
 */
export async function endTurn(trx: Database, ref: ConversationRef, taskId: string): Promise<string | undefined> {
  const { conversationId } = ref;
  if (!(await lockConversation(trx, ref))) return undefined;
  const { rows } = await sql<{ rolled_back: boolean }>`
    select exists (select from conversation_messages later where later.running_task_id = ${taskId}::uuid
      and later.conversation_id = ${conversationId} and later.outcome = 'rolled_back') as rolled_back
    from conversation_messages m
    where m.conversation_id = ${conversationId} and m.task_id = ${taskId}::uuid and m.state = 'running'`.execute(trx);
  if (!rows[0]) return undefined;
  const isRolledBack = rows[0].rolled_back;
  if (!isRolledBack) {
    const head = await answerOpenCalls(trx, ref, taskId, await readLastHead(trx, taskId));
    await trx.updateTable('conversations').set({ head }).where('id', '=', conversationId).execute();
  }
  const { rows: moved } = await sql<MovedMessage>`
    update conversation_messages set state = case
      when state = 'steering' then 'queued'
      when ${isRolledBack}::boolean then 'rolled_back'
      else 'done' end
    where conversation_id = ${conversationId} and (
      (task_id = ${taskId}::uuid and state = 'running')
      or (running_task_id = ${taskId}::uuid and state = 'steering')
      or (running_task_id = ${taskId}::uuid and state = 'steered' and ${isRolledBack}::boolean))
    returning id, task_id, state`.execute(trx);
  await appendConversationEvents(
    trx,
    conversationId,
    moved.map(({ id, task_id, state }): NewConversationEvent => ({
      type: 'conversation.turn',
      data: { messageId: id, taskId: task_id, state },
    })),
  );
  return isRolledBack ? undefined : handOver(trx, ref, taskId);
}

/** Gives the conversation to the agent that the answer names. @returns that one, if it was another before */
export async function handOver(trx: Database, ref: ConversationRef, taskId: string): Promise<string | undefined> {
  const { tenant, subject } = ref;
  const { rows } = await sql<{ result: string }>`
    select convert_from(c.bytes, 'UTF8') as result from tasks t
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = t.result_hash
    where t.id = ${taskId}::uuid and t.status = 'completed'`.execute(trx);
  const agent = rows[0] && (JSON.parse(rows[0].result) as TaskResult).handsOver?.agent;
  return agent !== undefined && (await changeConversation(trx, ref, { agent })) ? agent : undefined;
}

/** The task's last head: that of its last completed call, of a steering message taken after it, or of its input. */
async function readLastHead(trx: Database, taskId: string): Promise<MessageHead> {
  const { rows } = await sql<{ head: MessageHead }>`
    select head from (
      select head, step, 1 as later, 0 as position from model_calls
      where task_id = ${taskId}::uuid and purpose = 'turn' and outcome = 'completed'
      union all
      -- steering messages are taken before the call of their step
      select head, taken_step, 0, position from conversation_messages
      where running_task_id = ${taskId}::uuid and state = 'steered'
      union all
      select input_head, 0, 0, 0 from tasks where id = ${taskId}::uuid
    ) heads
    order by step desc, later desc, position desc limit 1`.execute(trx);
  const head = rows[0]?.head;
  if (head === undefined) throw new Error(`the task ${taskId} has no chain`);
  return head;
}

/**
 * Appends a result for each tool call of the last message. Models refuse a conversation in which a call has no result.
 *
 * @returns the new head, or the same one when the last message has no calls
 */
async function answerOpenCalls(trx: Database, scope: Scope, taskId: string, head: MessageHead): Promise<MessageHead> {
  const { body, step } = await readMessage(trx, scope, taskId, head);
  const calls =
    body.role === 'assistant' ? body.parts.flatMap((part) => (part.type === 'tool_call' ? [part] : [])) : [];
  if (calls.length === 0) return head;
  const receipts = await readReceipts(trx, taskId, step);
  const results = calls.map(({ callId, tool }): ToolMessage['results'][number] => {
    const receipt = receipts.find(({ call_id }) => call_id === callId);
    if (!receipt) return { callId, tool, result: stoppedHash, isError: true };
    const { result_hash: result, is_error: isError, misuse } = receipt;
    return { callId, tool, result, isError, ...(misuse ? { misuse } : {}) };
  });
  if (results.some(({ result }) => result === stoppedHash))
    await insertContent(scope, stoppedHash, stoppedOutput).execute(trx);
  const message = insertMessage(scope, head, { role: 'tool', results });
  await message.statement.execute(trx);
  return message.head;
}

const stoppedOutput = storableJson({
  error: 'The call was stopped before its end. Whether it took effect is not known.',
});

/**
 * The hash of the result of a call that was stopped. All
 * conversations share this content, so none of them may remove it.
 */
export const stoppedHash = contentHash(stoppedOutput);

async function readMessage(trx: Database, { tenant, subject }: Scope, taskId: string, head: MessageHead) {
  const { rows } = await sql<{ body: StoredMessage; step: number | null }>`
    select m.body, (select max(c.step) from model_calls c
      where c.task_id = ${taskId} and c.head = m.hash and c.purpose = 'turn' and c.outcome = 'completed') as step
    from messages m where m.tenant = ${tenant} and m.subject = ${subject} and m.hash = ${head}`.execute(trx);
  if (!rows[0]) throw new Error(`the message ${head} is not stored`);
  return rows[0];
}

async function readReceipts(trx: Database, taskId: string, step: number | null) {
  const { rows } = await sql<{ call_id: string; result_hash: string; is_error: boolean; misuse: ToolMisuse | null }>`
    select call_id, result_hash, is_error, misuse from tool_calls
    where task_id = ${taskId} and step = ${step}::int and result_hash is not null`.execute(trx);
  return rows;
}
