import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { CompactionMessage, StoredMessage } from '../../../contract/messages.ts';
import type { Head, Scope } from '../../../contract/references.ts';
import { droppedOutput } from '../../../contract/tool-output.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Conversation, Message } from '../../ports.ts';

/**
 * A chain that was made shorter, in one row: the compaction and the messages it keeps. What a conversation costs to load
 * does not grow with the number of messages that were kept.
 */
export type CompactedChain = CompactionMessage & { kept: StoredMessage[] };

type Row = { body: StoredMessage | CompactedChain; context_tokens: number | null; counted_by: string | null };
type Contents = Map<string, string>;

/** The chain from a head back to its root, which is the first message or a compaction. */
export async function loadConversation(db: Database, scope: Scope, head: Head): Promise<Conversation> {
  const { rows, contents } = await chainOf(db, scope, head, sql`c.parent`);
  const stored = rows.flatMap(({ body }) => messagesOf(body));
  const last = rows.findLastIndex(({ context_tokens: tokens }) => tokens !== null);
  const { context_tokens: tokens, counted_by: by } = rows[last] ?? {};
  // What is kept stands in the first row; every other row is one message.
  const index = stored.length - rows.length + last;
  return {
    messages: stored.map((message) => resolved(message, contents)),
    stored,
    ...(tokens != null && by != null ? { counted: { index, tokens, by } } : {}),
  };
}

const messagesOf = (body: StoredMessage | CompactedChain): StoredMessage[] => {
  if (!('kept' in body)) return [body];
  const { kept, ...root } = body;
  return [root, ...kept];
};

/** All that was ever said: behind every compaction the chain goes on, where all that it kept stands too. */
export async function loadWholeConversation(db: Database, scope: Scope, head: Head): Promise<Message[]> {
  const { rows, contents } = await chainOf(db, scope, head, sql`coalesce(c.parent, c.body->>'from')`);
  return rows.flatMap(({ body }) => (body.role === 'compaction' ? [] : [resolved(body, contents)]));
}

/**
 * Messages, oldest first, and the tool results that they name, in one statement. `before` leads from a message `c` to
 * the one before it. Each message and each content is looked up by its key, whatever the planner believes about the
 * tables: a join may be planned as a scan of all that a subject ever said, for every single message.
 */
async function chainOf(db: Database, { tenant, subject }: Scope, head: Head, before: ReturnType<typeof sql>) {
  const { rows: found } = await sql<(Row & { hash: null }) | { hash: string; content: string | null }>`
    with recursive chain as (
      select parent, body, context_tokens, counted_by, 0 as back from messages
      where tenant = ${tenant} and subject = ${subject} and hash = ${head}
      union all
      select m.parent, m.body, m.context_tokens, m.counted_by, c.back + 1 from chain c cross join lateral (
        select parent, body, context_tokens, counted_by from messages
        where tenant = ${tenant} and subject = ${subject} and hash = ${before} limit 1
      ) m
    ), named as (
      select distinct r->>'result' as hash from chain,
        lateral (select jsonb_path_query(body, '$.results[*]') union all select jsonb_path_query(body, '$.kept[*].results[*]')) results (r)
      where not r ? 'dropped'
    )
    select body, context_tokens, counted_by, back, null as hash, null as content from chain
    union all
    select null, null, null, -1, hash, (
      select convert_from(bytes, 'UTF8') from contents
      where tenant = ${tenant} and subject = ${subject} and contents.hash = named.hash
    ) from named
    order by back desc`.execute(db);
  const rows = found.filter((row) => row.hash === null);
  if (rows.length === 0) throw new AlfredError('internal', `The conversation ${head} is not stored.`);
  const contents: Contents = new Map();
  for (const row of found) if (row.hash !== null && row.content !== null) contents.set(row.hash, row.content);
  return { rows, contents };
}

function resolved(message: StoredMessage, contents: Contents): Message {
  if (message.role !== 'tool') return message;
  return {
    role: 'tool',
    results: message.results.map(({ callId, tool, result, isError, dropped, repeated }) => {
      if (dropped) return { callId, tool, isError, output: droppedOutput(callId) };
      const content = contents.get(result);
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
