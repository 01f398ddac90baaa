import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { ConversationMessage, MessageOutcome, MessageState } from '../../../contract/conversation.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { keptPrincipalOf } from '../../../contract/principal.ts';
import type { TaskResult } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ConversationRows } from '../../../contract/ports/index.ts';
import { hashRequest } from '../hashes.ts';
import { statusOf } from '../tasks/task-row.ts';
import { insertContent } from '../messages/contents.ts';
import { contentHash } from '../hashes.ts';
import { receiptOf, conversationRefOf } from './conversation-row.ts';

/** The number of messages that may wait for their turns in one conversation. */
const maxWaiting = 1_000;

/** Messages of conversations: stored before anything is decided about them, listed with their answers. */
export const createConversationMessages = (
  db: Database,
): Pick<ConversationRows, 'findMessage' | 'storeMessage' | 'listMessages'> => ({
  storeMessage: (principal, conversationId, message) => storeMessage(db, principal, conversationId, message),

  async findMessage({ tenant, subject }, conversationId, messageId) {
    const row = await db
      .selectFrom('conversation_messages as m')
      .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
      .select(['m.task_id', 'm.state'])
      .where('m.conversation_id', '=', conversationId)
      .where('m.id', '=', messageId)
      .where('m.position', 'is not', null)
      .where('c.tenant', '=', tenant)
      .where('c.subject', '=', subject)
      .where('c.deleted_at', 'is', null)
      .executeTakeFirst();
    return row && { taskId: row.task_id, state: row.state as MessageState };
  },

  async listMessages({ tenant, subject }, conversationId, { limit, after, before }) {
    // The newest messages first, unless the reader goes on after a position.
    const order = after === undefined ? sql`desc` : sql`asc`;
    const { rows } = await sql<Row>`
      with page as (
        select m.* from conversation_messages m join conversations c on c.id = m.conversation_id
        where m.conversation_id = ${conversationId} and c.tenant = ${tenant} and c.subject = ${subject}
          and c.deleted_at is null and m.position > ${after ?? 0}::int and m.position < ${before ?? 2_147_483_647}::int
        order by m.position ${order} limit ${limit + 1}
      ), message as (
        select p.*, case when p.state in ('steering', 'steered') then p.running_task_id else p.task_id end as of_task
        from page p
      )
      select s.id, s.position, s.state, s.outcome, s.created_at, convert_from(q.bytes, 'UTF8') as text,
        t.id as task_id, t.status, t.incomplete, t.ended_at, case when a.last = s.position then convert_from(r.bytes, 'UTF8') end as result
      from message s
      join contents q on q.tenant = ${tenant} and q.subject = ${subject} and q.hash = s.content_hash
      left join tasks t on t.id = s.of_task
      left join contents r on r.tenant = ${tenant} and r.subject = ${subject} and r.hash = t.result_hash
        and t.status = 'completed'
      left join lateral (
        -- the answer is listed after the last message that its task has read
        select coalesce(max(m.position), s.position) as last from conversation_messages m
        where m.running_task_id = t.id and m.state = 'steered'
      ) a on true
      order by s.position ${order}`.execute(db);
    const page = rows.slice(0, limit);
    const inOrder = after === undefined ? page.reverse() : page;
    return { messages: inOrder.flatMap(listedMessages), hasMore: rows.length > limit };
  },
});

async function storeMessage(
  db: Database,
  ...[principal, conversationId, message]: Parameters<ConversationRows['storeMessage']>
): ReturnType<ConversationRows['storeMessage']> {
  const { id, text, ...request } = message;
  const conversation = await db
    .selectFrom('conversations')
    .select(['id', 'tenant', 'subject', 'agent', 'on_busy', 'archived_at'])
    .select(
      sql<number>`(select count(*) from conversation_messages m
        where m.conversation_id = conversations.id and m.state in ('queued', 'steering'))`.as('waiting'),
    )
    .where('id', '=', conversationId)
    .where('tenant', '=', principal.tenant)
    .where('subject', '=', principal.subject)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!conversation) throw notFound();
  const requestHash = hashRequest({ text, ...request });
  const stored = await findStored();
  if (stored) return stored;

  if (conversation.archived_at)
    throw new AlfredError(
      'conversation_archived',
      `The conversation ${conversationId} is archived; take it back first.`,
    );
  const waits = ['enqueue', 'steer'].includes(request.onBusy ?? conversation.on_busy);
  if (waits && conversation.waiting >= maxWaiting)
    throw new AlfredError(
      'conversation_full',
      `${conversation.waiting} messages wait in the conversation ${conversationId} already.`,
    );
  const hash = contentHash(text);
  // A deletion waits for the row, or has marked it: then neither message nor content is stored.
  await sql`
    with conversation as (
      select id from conversations where id = ${conversationId} and deleted_at is null for key share
    ), content as (${insertContent(principal, hash, text, 'conversation')})
    insert into conversation_messages (conversation_id, id, content_hash, request, request_hash, roles, principal, task_id)
    select id, ${id}, ${hash}, ${JSON.stringify(request)}::jsonb, ${requestHash}, ${[...principal.roles]}::text[],
      ${JSON.stringify(keptPrincipalOf(principal) ?? null)}::jsonb, ${newId()}::uuid
    from conversation
    on conflict do nothing`.execute(db);
  // Another request may have stored another message under the same id in the meantime.
  const own = await findStored();
  if (!own) throw notFound();
  return own;

  function notFound() {
    return new AlfredError('not_found', `There is no conversation ${conversationId}.`);
  }

  async function findStored() {
    if (!conversation) return undefined;
    const row = await db
      .selectFrom('conversation_messages')
      .selectAll()
      .where('conversation_id', '=', conversationId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (!row) return undefined;
    if (row.request_hash !== requestHash)
      throw new AlfredError(
        'message_id_reused',
        `The message id "${id}" was used for another message of conversation ${conversationId}.`,
      );
    return { conversation: conversationRefOf(conversation), receipt: receiptOf(row) };
  }
}

type Row = {
  id: string;
  position: number;
  state: string;
  outcome: string | null;
  created_at: Date;
  text: string;
  task_id: string | null;
  status: string | null;
  incomplete: string | null;
  ended_at: Date | null;
  result: string | null;
};

function listedMessages(row: Row): ConversationMessage[] {
  const common = {
    position: row.position,
    taskId: row.task_id,
    state: row.state as MessageState,
    taskStatus: row.status === null ? null : statusOf({ status: row.status, incomplete: row.incomplete }),
  };
  const message: ConversationMessage = {
    ...common,
    id: row.id,
    role: 'user',
    text: row.text,
    outcome: row.outcome as MessageOutcome | null,
    createdAt: row.created_at.toISOString(),
  };
  if (row.result === null || row.task_id === null || row.status !== 'completed') return [message];
  const { text, citations } = JSON.parse(row.result) as TaskResult;
  const createdAt = (row.ended_at ?? row.created_at).toISOString();
  return [message, { ...common, id: row.task_id, role: 'assistant', text, citations, outcome: null, createdAt }];
}
