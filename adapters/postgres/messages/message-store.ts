import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage } from '../../../contract/messages.ts';
import type { MessageHead, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { MessageStore } from '../../../contract/ports/index.ts';
import { contentHash } from '../hashes.ts';
import { lockContents } from './contents.ts';
import { loadChain, loadAllMessages, openChain, readContents, type CompactedChain } from './load-messages.ts';
import { storableJson } from '../storable-json.ts';

/** Conversations as chains of messages. The name of a message is the hash of its body and of its parent's name. */
export const createMessageStore = (db: Database): MessageStore => ({
  async append(scope, parent, message) {
    const { head, statement } = insertMessage(scope, parent, message);
    await statement.execute(db);
    return head;
  },

  load: (scope, head) => loadChain(db, scope, head),

  async openStep(task, head, next) {
    const opened = await openChain(db, task, head, next);
    if (!next) return { ...opened, head };
    return { ...opened, head: headOf(head, storableJson(next)), unstored: { parent: head, message: next } };
  },

  loadAll: (scope, head) => loadAllMessages(db, scope, head),

  loadResults: async (scope, hashes) =>
    [...(await readContents(db, scope, hashes)).values()].map((content) => JSON.parse(content) as JsonValue),

  async storeCompacted(scope, [root, ...kept]) {
    if (root?.role !== 'compaction') throw new AlfredError('internal', 'A shorter chain begins with a compaction.');
    const { head, statement } = insertMessage(scope, null, { ...root, kept });
    await statement.execute(db);
    return head;
  },

  async findToolResult({ tenant, subject }, taskId, callId) {
    if (!isUuid(taskId)) return undefined;
    // Tasks of one conversation read each other's results. A model may use a call id again: the newest result wins, but
    // results of other tools come before slices that `read_result` returned.
    const { rows } = await sql<{ content: string }>`
      select convert_from(c.bytes, 'UTF8') as content from tool_calls t
      join tasks on tasks.id = t.task_id and tasks.tenant = ${tenant} and tasks.subject = ${subject}
      join contents c on c.tenant = ${tenant} and c.subject = ${subject} and c.hash = coalesce(t.full_hash, t.result_hash)
      where t.call_id = ${callId} and t.task_id = any(array(
        select ${taskId}::uuid union select other.id from tasks this join tasks other on other.tenant = this.tenant
          and other.subject = this.subject and other.conversation_id = this.conversation_id
        where this.id = ${taskId}))
      order by t.tool = 'read_result', tasks.created_at desc, t.step desc limit 1`.execute(db);
    return rows[0]?.content;
  },

  async loadToolArguments({ tenant, subject }, head, callId) {
    const row = await db
      .selectFrom('messages')
      .select('body')
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('hash', '=', head)
      .executeTakeFirst();
    const message = row?.body as StoredMessage | undefined;
    const call =
      message?.role === 'assistant'
        ? message.parts.find((part) => part.type === 'tool_call' && part.callId === callId)
        : undefined;
    if (call?.type !== 'tool_call')
      throw new AlfredError('internal', `The message ${head} asks for no call ${callId}.`);
    const { arguments: args, malformed } = call;
    return { arguments: args, ...(malformed === undefined ? {} : { malformed }) };
  },
});

const headOf = (parent: MessageHead | null, body: string): MessageHead => contentHash(`${parent ?? ''}\n${body}`);

/**
 * The statement that appends a message, and the new head. It may be a part of a larger
 * statement, and is safe to repeat: the same message after the same parent has the same hash.
 *
 * @param options.size  tokens of the conversation up to and including this message, and the model that counted them
 * @param options.owner a query of the larger statement that gives a row if there is one to refer to the message.
 *                      Without such a row nothing is stored: see `insertContent`
 */
export function insertMessage(
  { tenant, subject }: Scope,
  parent: MessageHead | null,
  message: StoredMessage | CompactedChain,
  { size, owner }: { size?: { tokens: number; by: string } | undefined; owner?: string } = {},
) {
  const body = storableJson(message);
  const head = headOf(parent, body);
  // Two tasks with the same question share their first message. The lock keeps it while another task's deletion asks
  // whether a task uses it.
  const lock = sql`(${lockContents({ tenant, subject })}) held`;
  const sources = [...(parent === null ? [lock] : []), ...(owner === undefined ? [] : [sql.id(owner)])];
  const from = sources.length > 0 ? sql`from ${sql.join(sources)}` : sql``;
  const statement = sql`
    insert into messages (tenant, subject, hash, parent, depth, body, context_tokens, counted_by)
    select ${tenant}, ${subject}, ${head}, ${parent}::text,
      coalesce((select depth + 1 from messages
        where tenant = ${tenant} and subject = ${subject} and hash = ${parent}::text), 0),
      ${body}::jsonb, ${size?.tokens ?? null}::int, ${size?.by ?? null}::text ${from}
    on conflict do nothing`;
  return { head, statement };
}
