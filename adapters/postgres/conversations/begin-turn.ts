import { sql } from 'kysely';
import type { Callback } from '../../../contract/callback.ts';
import type { KeptPrincipal } from '../../../contract/principal.ts';
import type { BudgetLimits, ConversationRef, MessageHead } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { BegunTurn, ConversationTurns, NewMessage } from '../../../contract/ports/index.ts';
import { tightestLimits } from '../../../contract/rules/tightest-limits.ts';
import { insertMessage } from '../messages/message-store.ts';
import { closeTask } from '../tasks/end-task.ts';
import { insertTask } from '../tasks/insert-task.ts';
import { withQueries } from '../with-queries.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { lockConversation } from './conversation-row.ts';
import { handOver } from './end-turn.ts';
import { isEnding, openMessages } from './open-messages.ts';
import { scheduleOf } from './schedule-of-message.ts';

type Request = Omit<NewMessage, 'id' | 'text'>;
type MessageRow = {
  id: string;
  task_id: string;
  position: number;
  created_at: Date;
  text: string;
  request: Request;
  request_hash: string;
  roles: string[];
  principal: KeptPrincipal | null;
  head: MessageHead | null;
  /** Of its task, when there is one already. */
  agent: string | null;
};

/** What all turns of a conversation have in common. */
type TurnContext = {
  trx: Database;
  ref: ConversationRef;
  /** What messages of the conversation get when they name nothing else. */
  defaults: Pick<Request, 'budget' | 'priority'> & { callback?: Callback };
  /** Who answers now. The conversation may have been handed over since its workflow began. */
  agent: string;
  agentBudget: BudgetLimits;
  settingsVersion: number | null | undefined;
};

/**
 * Begins the turn of the next queued message: appends its text to the conversation's chain and inserts its task.
 * Messages before it that were passed over are appended first; their tasks are inserted and closed as cancelled.
 *
 * @returns the begun turn, or the turn that is under way; undefined when no message waits
 */
export async function beginTurn(
  trx: Database,
  ref: ConversationRef,
  settingsOf: Parameters<ConversationTurns['begin']>[1],
): Promise<BegunTurn | undefined> {
  const { conversationId } = ref;
  const conversation = await lockConversation(trx, ref);
  if (!conversation) return undefined;
  const agent = (await handOverMissed(trx, ref, conversation.agent)) ?? conversation.agent;
  const defaults = conversation.defaults as TurnContext['defaults'];
  const { budget: agentBudget, version: settingsVersion } = settingsOf(agent);
  const context: TurnContext = { trx, ref, defaults, agent, agentBudget, settingsVersion };
  const open = await openMessages(trx, conversationId);
  const running = open.find(({ state }) => state === 'running');
  if (running) {
    const [row] = await readMessages(trx, ref, [running.id]);
    if (!row?.head) return undefined;
    return turnOf(context, row, { head: row.head, isEnding: await isEnding(trx, conversationId, row.task_id) });
  }
  const next = open.findIndex(({ state }) => state === 'queued');
  if (next < 0) return undefined;
  const passedOver = open.slice(0, next).filter(({ state }) => state === 'passed_over');
  const rows = await readMessages(trx, ref, [...passedOver.map(({ id }) => id), open[next]?.id ?? '']);

  let head = conversation.head;
  for (const row of rows.slice(0, -1)) {
    head = await appendMessage(context, row, head);
    const reason = 'A later message came before its turn.';
    await closeTask(trx, taskOf(context, row), { status: 'cancelled', reason });
  }
  if (rows.length > 1) await trx.updateTable('conversations').set({ head }).where('id', '=', conversationId).execute();
  const row = rows.at(-1);
  if (!row) return undefined;
  // `conversations.head` stays as it is until the turn has ended.
  head = await appendMessage(context, row, head);
  await trx
    .updateTable('conversation_messages')
    .set({ state: 'running' })
    .where('conversation_id', '=', conversationId)
    .where('id', '=', row.id)
    .execute();
  const turn = { messageId: row.id, taskId: row.task_id, state: 'running' as const };
  await appendConversationEvents(trx, conversationId, [{ type: 'conversation.turn', data: turn }]);
  return turnOf(context, row, { head, isEnding: false });
}

/**
 * Hands the conversation over as the last turn has asked for, if a worker of a version ended that turn that knows of no
 * handovers. A change of the agent since then stays.
 *
 * @returns the agent that answers from now on
 */
async function handOverMissed(trx: Database, ref: ConversationRef, agent: string): Promise<string | undefined> {
  const { conversationId } = ref;
  const { rows } = await sql<{ taskId: string }>`
    with last as (
      select seq, (data->>'taskId')::uuid as task_id from conversation_events
      where conversation_id = ${conversationId} and type = 'conversation.turn' and data->>'state' = 'done'
      order by seq desc limit 1
    )
    select t.id as "taskId" from last l join tasks t on t.id = l.task_id
    where t.tenant = ${ref.tenant} and t.subject = ${ref.subject} and t.status = 'completed' and t.agent = ${agent}
      and not exists (
        select from conversation_events e
        where e.conversation_id = ${conversationId} and e.seq > l.seq and e.type = 'conversation.changed'
          and e.data->>'agent' <> ${agent})`.execute(trx);
  return rows[0] && handOver(trx, ref, rows[0].taskId);
}

const taskOf = ({ ref: { tenant, subject }, agent }: TurnContext, row: MessageRow) => ({
  taskId: row.task_id,
  tenant,
  subject,
  agent: row.agent ?? agent,
});

const turnOf = (context: TurnContext, row: MessageRow, state: { head: MessageHead; isEnding: boolean }): BegunTurn => ({
  task: taskOf(context, row),
  priority: row.request.priority ?? context.defaults.priority,
  ...state,
});

/** Appends a message's text to the chain and inserts its task. @returns the new head */
async function appendMessage(
  { trx, ref, defaults, agent, agentBudget, settingsVersion }: TurnContext,
  { id, task_id, created_at, text, request, request_hash, roles, principal }: MessageRow,
  parent: MessageHead | null,
): Promise<MessageHead> {
  const { conversationId } = ref;
  // The first message carries the conversation's id, so that no two conversations share hashes.
  const message = insertMessage(ref, parent, {
    role: 'user',
    text,
    ...(request.tool === undefined ? {} : { tool: request.tool }),
    ...(parent === null ? { conversation: conversationId } : {}),
  });
  const task = insertTask(
    trx,
    { ...ref, roles, ...principal },
    {
      id: task_id,
      createdAt: created_at,
      conversationId,
      scheduleId: await scheduleOf(trx, ref, id),
      request: {
        agent,
        priority: request.priority ?? defaults.priority,
        ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
        ...(defaults.callback === undefined ? {} : { callback: defaults.callback }),
      },
      requestHash: request_hash,
      budget: tightestLimits(tightestLimits(agentBudget, defaults.budget ?? {}), request.budget ?? {}),
      settingsVersion,
      head: message.head,
    },
  );
  await sql`${withQueries({ message: message.statement, ...task })}
    update conversation_messages set head = ${message.head}
    where conversation_id = ${conversationId} and id = ${id}`.execute(trx);
  await appendConversationEvents(trx, conversationId, [{ taskId: task_id, taskSeq: 1 }]);
  return message.head;
}

/** Messages with their texts, in the order of their positions. */
async function readMessages(trx: Database, { conversationId, tenant, subject }: ConversationRef, ids: string[]) {
  const { rows } = await sql<MessageRow>`
    select m.id, m.task_id, m.position, m.created_at, m.request, m.request_hash, m.roles, m.principal,
      (select t.agent from tasks t where t.id = m.task_id) as agent, m.head, convert_from(c.bytes, 'UTF8') as text
    from conversation_messages m
    join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = m.content_hash
    where m.conversation_id = ${conversationId} and m.id = any(${ids}::text[]) order by m.position`.execute(trx);
  return rows;
}
