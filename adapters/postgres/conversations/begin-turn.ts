import { sql } from 'kysely';
import type { Callback } from '../../../contract/callback.ts';
import type { BudgetLimits, ConversationRef, MessageHead } from '../../../contract/references.ts';
import type { MessageRequest } from '../../../contract/conversation.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { BegunTurn } from '../../../contract/ports/index.ts';
import { tightest } from '../tasks/budgets.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { lockConversation } from './conversation-row.ts';
import { insertMessage } from '../messages/message-store.ts';
import { insertTask } from '../tasks/insert-task.ts';
import { isEnding, openMessages } from './open-messages.ts';
import { createTasks } from '../tasks/tasks.ts';

type Request = Omit<MessageRequest, 'id' | 'text'>;
type Defaults = Pick<Request, 'budget' | 'priority'> & { callback?: Callback };
type Row = {
  id: string;
  task_id: string;
  position: number;
  text: string;
  request: Request;
  request_hash: string;
  roles: string[];
  head: MessageHead | null;
};

/**
 * Begins the turn of the next message in line: its words go behind the conversation's chain, and its task gets a row.
 * Messages that were passed over before it go into the chain first.
 *
 * @returns the turn that is under way, when one is
 */
export async function beginTurn(
  trx: Database,
  ref: ConversationRef,
  agentBudget: BudgetLimits,
): Promise<BegunTurn | undefined> {
  const { conversationId } = ref;
  const conversation = await lockConversation(trx, ref);
  if (!conversation) return undefined;
  const defaults = conversation.defaults as Defaults;
  const open = await openMessages(trx, conversationId);
  const running = open.find(({ state }) => state === 'running');
  if (running) {
    const [row] = await messagesOf(trx, ref, [running.id]);
    return row?.head ? begun(row, row.head, await isEnding(trx, conversationId, row.task_id)) : undefined;
  }
  const next = open.findIndex(({ state }) => state === 'queued');
  if (next < 0) return undefined;
  const passed = open.slice(0, next).filter(({ state }) => state === 'passed_over');
  const rows = await messagesOf(trx, ref, [...passed.map(({ id }) => id), open[next]?.id ?? '']);

  let head = conversation.head;
  for (const row of rows.slice(0, -1)) {
    head = await begin(row, head);
    const reason = 'A later message came before its turn.';
    await createTasks(trx).close(taskOf(row), undefined, { status: 'cancelled', reason });
  }
  if (rows.length > 1) await trx.updateTable('conversations').set({ head }).where('id', '=', conversationId).execute();
  const row = rows.at(-1);
  if (!row) return undefined;
  // The chain that the conversation goes on from stays what it was until the turn has ended.
  head = await begin(row, head);
  await trx
    .updateTable('conversation_messages')
    .set({ state: 'running' })
    .where('conversation_id', '=', conversationId)
    .where('id', '=', row.id)
    .execute();
  const turn = { messageId: row.id, taskId: row.task_id, state: 'running' as const };
  await appendConversationEvents(trx, conversationId, [{ type: 'conversation.turn', data: turn }]);
  return begun(row, head, false);

  function taskOf({ task_id: taskId }: Row) {
    return { taskId, tenant: ref.tenant, subject: ref.subject, agent: ref.agent };
  }

  function begun(of: Row, at: MessageHead, ending: boolean): BegunTurn {
    return { task: taskOf(of), head: at, priority: of.request.priority ?? defaults.priority, isEnding: ending };
  }

  /** The words of a message and the row of its task. @returns the head they make */
  async function begin(
    { id, task_id, text, request, request_hash, roles }: Row,
    parent: MessageHead | null,
  ): Promise<MessageHead> {
    const words = { role: 'user' as const, text, ...(parent === null ? { conversation: conversationId } : {}) };
    const message = insertMessage(ref, parent, words);
    const task = insertTask(
      trx,
      { ...ref, roles },
      {
        id: task_id,
        conversationId,
        request: {
          agent: ref.agent,
          ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
          ...(defaults.callback === undefined ? {} : { callback: defaults.callback }),
        },
        requestHash: request_hash,
        budget: tightest(tightest(agentBudget, defaults.budget ?? {}), request.budget ?? {}),
        head: message.head,
      },
    );
    await sql`with message as (${message.statement}), ${task}
      update conversation_messages set head = ${message.head}
      where conversation_id = ${conversationId} and id = ${id}`.execute(trx);
    await appendConversationEvents(trx, conversationId, [{ taskId: task_id, taskSeq: 1 }]);
    return message.head;
  }
}

async function messagesOf(trx: Database, { conversationId, tenant, subject }: ConversationRef, ids: string[]) {
  const { rows } = await sql<Row>`
    select m.id, m.task_id, m.position, m.request, m.request_hash, m.roles, m.head, convert_from(c.bytes, 'UTF8') as text
    from conversation_messages m
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = m.content_hash
    where m.conversation_id = ${conversationId} and m.id = any(${ids}::text[]) order by m.position`.execute(trx);
  return rows;
}
