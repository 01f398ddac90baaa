import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage } from '../../../contract/messages.ts';
import type { Head, Scope } from '../../../contract/references.ts';
import { droppedOutput } from '../../../contract/tool-output.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Conversation, Message } from '../../ports.ts';

type Row = {
  body: StoredMessage;
  context_tokens: number | null;
  counted_by: string | null;
  contents: Record<string, string> | null;
};

/** The chain from a head back to its root, which is the first message or a compaction. */
export async function loadConversation(db: Database, scope: Scope, head: Head): Promise<Conversation> {
  const rows = await chainOf(db, scope, head, sql`c.parent`);
  const index = rows.findLastIndex(({ context_tokens: tokens }) => tokens !== null);
  const { context_tokens: tokens, counted_by: by } = rows[index] ?? {};
  return {
    messages: rows.map(({ body, contents }) => resolved(body, contents ?? {})),
    stored: rows.map(({ body }) => body),
    ...(tokens != null && by != null ? { counted: { index, tokens, by } } : {}),
  };
}

/** All that was ever said: behind every compaction the chain goes on, and what it kept is told once. */
export async function loadWholeConversation(db: Database, scope: Scope, head: Head): Promise<Message[]> {
  const rows = await chainOf(db, scope, head, sql`coalesce(c.parent, c.body->>'from')`);
  let copies = 0;
  return rows.flatMap(({ body, contents }) => {
    if (body.role === 'compaction') {
      copies = body.kept ?? 0;
      return [];
    }
    return copies-- > 0 ? [] : [resolved(body, contents ?? {})];
  });
}

/** Messages with the tool results they name, oldest first, in one statement. `before` leads from a message `c` to the one before it. */
async function chainOf(db: Database, { tenant, subject }: Scope, head: Head, before: ReturnType<typeof sql>) {
  const { rows } = await sql<Row>`
    with recursive chain as (
      select parent, body, context_tokens, counted_by, 0 as back from messages
      where tenant = ${tenant} and subject = ${subject} and hash = ${head}
      union all
      select m.parent, m.body, m.context_tokens, m.counted_by, c.back + 1 from chain c
      join messages m on m.tenant = ${tenant} and m.subject = ${subject} and m.hash = ${before}
    )
    select body, context_tokens, counted_by, case when body->>'role' = 'tool' then (
      select json_object_agg(hash, convert_from(bytes, 'UTF8')) from contents
      where tenant = ${tenant} and subject = ${subject}
        and hash in (select r->>'result' from jsonb_array_elements(body->'results') r where not r ? 'dropped')
    ) end as contents
    from chain order by back desc`.execute(db);
  if (rows.length === 0) throw new AlfredError('internal', `The conversation ${head} is not stored.`);
  return rows;
}

function resolved(message: StoredMessage, contents: Record<string, string>): Message {
  if (message.role !== 'tool') return message;
  return {
    role: 'tool',
    results: message.results.map(({ callId, tool, result, isError, dropped, repeated }) => {
      if (dropped) return { callId, tool, isError, output: droppedOutput(callId) };
      const content = contents[result];
      if (content === undefined) throw new AlfredError('internal', `The tool result ${result} is not stored.`);
      const output = JSON.parse(content) as JsonValue;
      return { callId, tool, isError, output: repeated ? noted(output) : output };
    }),
  };
}

const sameCall = 'You made this same call before, with the same result. Use it or do something else.';

const noted = (output: JsonValue): JsonValue =>
  typeof output === 'object' && output !== null && !Array.isArray(output)
    ? { ...output, note: sameCall }
    : { result: output, note: sameCall };
