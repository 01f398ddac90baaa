import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage } from '../../../contract/messages.ts';
import type { Head, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Conversations, Message } from '../../ports.ts';
import { hashOf } from './contents.ts';
import { storableJson } from './storable-json.ts';

/** Conversations as chains of messages, each named by the hash of itself and everything before it. */
export const createConversations = (db: Database): Conversations => ({
  async append(scope, parent, message) {
    const { head, statement } = insertMessage(scope, parent, message);
    await statement.execute(db);
    return head;
  },

  async load(scope, head) {
    const { rows } = await sql<{ body: StoredMessage; contents: Record<string, string> | null }>`
      with recursive chain as (
        select hash, parent, depth, body from messages where tenant = ${scope.tenant} and subject = ${scope.subject} and hash = ${head}
        union all
        select m.hash, m.parent, m.depth, m.body from chain c
        join messages m on m.tenant = ${scope.tenant} and m.subject = ${scope.subject} and m.hash = c.parent
      )
      select body, case when body->>'role' = 'tool' then (
        select jsonb_object_agg(c.hash, convert_from(c.bytes, 'UTF8')) from contents c
        where c.tenant = ${scope.tenant} and c.subject = ${scope.subject}
          and c.hash in (select r->>'result' from jsonb_array_elements(body->'results') r)
      ) end as contents
      from chain order by depth`.execute(db);
    if (rows.length === 0) throw new AlfredError('internal', `The conversation ${head} is not stored.`);
    return rows.map(({ body, contents }) => resolved(body, contents ?? {}));
  },

  async toolArguments({ tenant, subject }, head, callId) {
    const found = await db
      .selectFrom('messages')
      .select('body')
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('hash', '=', head)
      .executeTakeFirst();
    const message = found?.body as StoredMessage | undefined;
    const call =
      message?.role === 'assistant'
        ? message.parts.find((part) => part.type === 'tool_call' && part.callId === callId)
        : undefined;
    if (call?.type !== 'tool_call')
      throw new AlfredError('internal', `The message ${head} asks for no call ${callId}.`);
    return call.arguments;
  },
});

/**
 * The statement that appends a message, also a part of larger statements, and the head it makes. The same message after
 * the same parent has the same hash.
 */
export function insertMessage({ tenant, subject }: Scope, parent: Head | null, message: StoredMessage) {
  const body = storableJson(message);
  const head: Head = hashOf(`${parent ?? ''}\n${body}`);
  const statement = sql`
    insert into messages (tenant, subject, hash, parent, depth, body)
    select ${tenant}, ${subject}, ${head}, ${parent}::text,
      coalesce((select depth + 1 from messages where tenant = ${tenant} and subject = ${subject} and hash = ${parent}::text), 0), ${body}::jsonb
    on conflict do nothing`;
  return { head, statement };
}

function resolved(message: StoredMessage, contents: Record<string, string>): Message {
  if (message.role !== 'tool') return message;
  return {
    role: 'tool',
    results: message.results.map(({ result, ...call }) => {
      const content = contents[result];
      if (content === undefined) throw new AlfredError('internal', `The tool result ${result} is not stored.`);
      return { ...call, output: JSON.parse(content) as JsonValue };
    }),
  };
}
