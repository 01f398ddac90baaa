import { sql } from 'kysely';
import { decideMessage, type OpenMessage } from '../../../contract/rules/busy-policy.ts';
import { firstWords } from '../../../contract/rules/first-words.ts';
import { readThreadAbove } from '../../../contract/rules/thread-above.ts';
import type { BusyPolicy, MessageState, NewConversationEvent } from '../../../contract/conversation.ts';
import type { ConversationRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Receipt } from '../../../contract/ports/index.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { lockConversation, receiptOf } from './conversation-row.ts';
import { isEnding, openMessages } from './open-messages.ts';

type Row = {
  conversation_id: string;
  id: string;
  task_id: string;
  state: string;
  outcome: string | null;
  position: number | null;
  running_task_id: string | null;
  on_busy: BusyPolicy | null;
  text: string;
};

/** The longest title that is taken from the first message, in UTF-16 code units. */
const titleLength = 80;

/**
 * Decides about messages in the given order, each after the decisions before it.
 *
 * @returns the receipts; `isNew` is false for messages that were decided before
 */
export async function decideMessages(
  trx: Database,
  ref: ConversationRef,
  messageIds: string[],
): Promise<{ receipt: Receipt; isNew: boolean }[]> {
  const { conversationId } = ref;
  const conversation = await lockConversation(trx, ref);
  if (!conversation) return [];
  const rows = await readMessages(trx, ref, messageIds);
  let open = await openMessages(trx, conversationId);
  const running = open.find(({ state }) => state === 'running');
  let isRunningEnding = running !== undefined && (await isEnding(trx, conversationId, running.taskId));
  let position = conversation.last_position;

  const decided: Row[] = [];
  const moved = new Map<string, MessageState>();
  const events: NewConversationEvent[] = [];
  for (const row of rows) {
    if (row.outcome !== null) continue;
    const decision = decideMessage(open, isRunningEnding, row.on_busy ?? (conversation.on_busy as BusyPolicy));
    const { outcome, state, runningTaskId } = decision;
    Object.assign(row, { outcome, state, position: ++position, running_task_id: runningTaskId });
    decided.push(row);
    const { taskId = null } = receiptOf(row) ?? {};
    events.push({
      type: 'conversation.message',
      data: { messageId: row.id, position, text: row.text, outcome, taskId, runningTaskId },
    });
    for (const { id, state: newState } of decision.moved) {
      moved.set(id, newState);
      const taskId = open.find((message) => message.id === id)?.taskId ?? '';
      events.push({ type: 'conversation.turn', data: { messageId: id, taskId, state: newState } });
    }
    isRunningEnding ||= running !== undefined && (outcome === 'interrupted' || outcome === 'rolled_back');
    open = open.flatMap((message) => applyState(message, moved.get(message.id)));
    if (state === 'queued' || state === 'steering') open.push({ id: row.id, taskId: row.task_id, state });
  }
  // A message that a later one of this batch passed over is written with its final state.
  for (const row of decided) row.state = moved.get(row.id) ?? row.state;
  await writeDecisions(trx, conversationId, decided, moved);
  if (decided.length > 0)
    await trx
      .updateTable('conversations')
      .set({
        last_position: position,
        title: conversation.title ?? firstWords(readThreadAbove(decided[0]?.text ?? '').words, titleLength),
      })
      .where('id', '=', conversationId)
      .execute();
  await appendConversationEvents(trx, conversationId, events);
  return rows.flatMap((row) => {
    const receipt = receiptOf(row);
    return receipt ? [{ receipt, isNew: decided.includes(row) }] : [];
  });
}

/** Applies a new state to an open message. Only a passed-over message stays open, until its text is in the chain. */
function applyState(message: OpenMessage, state: MessageState | undefined): OpenMessage[] {
  if (state === undefined) return [message];
  return state === 'passed_over' ? [{ ...message, state }] : [];
}

/** Messages with their texts, in the order of `ids`. */
async function readMessages(trx: Database, { conversationId, tenant, subject }: ConversationRef, ids: string[]) {
  const { rows } = await sql<Row>`
    select m.conversation_id, m.id, m.task_id, m.state, m.outcome, m.position, m.running_task_id,
      m.request->>'onBusy' as on_busy, convert_from(c.bytes, 'UTF8') as text
    from unnest(${ids}::text[]) with ordinality as came (id, n)
    join conversation_messages m on m.conversation_id = ${conversationId} and m.id = came.id
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = m.content_hash
    order by came.n`.execute(trx);
  return rows;
}

async function writeDecisions(trx: Database, conversationId: string, decided: Row[], moved: Map<string, MessageState>) {
  await sql`
    update conversation_messages m set outcome = d.outcome, state = d.state, position = d.position,
      running_task_id = d.running_task_id, decided_at = now()
    from unnest(${decided.map(({ id }) => id)}::text[], ${decided.map(({ outcome }) => outcome)}::text[],
      ${decided.map(({ state }) => state)}::text[], ${decided.map(({ position }) => position)}::int[],
      ${decided.map(({ running_task_id: id }) => id)}::uuid[]) as d (id, outcome, state, position, running_task_id)
    where m.conversation_id = ${conversationId} and m.id = d.id`.execute(trx);
  const others = [...moved].filter(([id]) => !decided.some((row) => row.id === id));
  if (others.length === 0) return;
  await sql`
    update conversation_messages m set state = o.state
    from unnest(${others.map(([id]) => id)}::text[], ${others.map(([, state]) => state)}::text[]) as o (id, state)
    where m.conversation_id = ${conversationId} and m.id = o.id`.execute(trx);
}
