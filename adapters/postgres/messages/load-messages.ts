import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { CompactionMessage, StoredMessage } from '../../../contract/messages.ts';
import type { MessageHead, Scope } from '../../../contract/references.ts';
import { droppedOutput } from '../../../contract/rules/tool-output.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { MessageChain, Message } from '../../../contract/ports/index.ts';

/**
 * A chain that was made shorter, in one row: the compaction and the messages it keeps. What a conversation costs to load
 * does not grow with the number of messages that were kept.
 */
export type CompactedChain = CompactionMessage & { kept: StoredMessage[] };

type Row = { body: StoredMessage | CompactedChain; context_tokens: number | null; counted_by: string | null };
type Contents = Map<string, string>;

/** The chain from a head back to its root, which is the first message or a compaction. */
export async function loadConversation(db: Database, scope: Scope, head: MessageHead): Promise<MessageChain> {
  const rows = await chainOf(db, scope, head, sql`c.parent`);
  const stored = rows.flatMap(({ body }) => messagesOf(body));
  const last = rows.findLastIndex(({ context_tokens: tokens }) => tokens !== null);
  const { context_tokens: tokens, counted_by: by } = rows[last] ?? {};
  // What is kept stands in the first row; every other row is one message.
  const index = stored.length - rows.length + last;
  return {
    messages: await withResults(db, scope, stored),
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
export async function loadWholeConversation(db: Database, scope: Scope, head: MessageHead): Promise<Message[]> {
  const rows = await chainOf(db, scope, head, sql`coalesce(c.parent, c.body->>'from')`);
  const said = rows.flatMap(({ body }) => (body.role === 'compaction' ? [] : [body]));
  return withResults(db, scope, said);
}

/**
 * Messages from the root to a head. `before` leads from a message `c` to the one before it. Each is looked up by its
 * key, whatever the planner believes about the table: a join may be planned as a scan of all that a subject ever said,
 * for every single message.
 */
async function chainOf(db: Database, { tenant, subject }: Scope, head: MessageHead, before: ReturnType<typeof sql>) {
  const { rows } = await sql<Row>`
    with recursive chain as (
      select parent, body, context_tokens, counted_by, 0 as back from messages
      where tenant = ${tenant} and subject = ${subject} and hash = ${head}
      union all
      select m.parent, m.body, m.context_tokens, m.counted_by, c.back + 1 from chain c cross join lateral (
        select parent, body, context_tokens, counted_by from messages
        where tenant = ${tenant} and subject = ${subject} and hash = ${before} limit 1
      ) m
    )
    select body, context_tokens, counted_by from chain order by back desc`.execute(db);
  if (rows.length === 0) throw new AlfredError('internal', `The conversation ${head} is not stored.`);
  return rows;
}

/** Messages with the tool results that they name, but for dropped ones. */
async function withResults(db: Database, scope: Scope, messages: StoredMessage[]): Promise<Message[]> {
  const named = messages.flatMap((message) =>
    message.role === 'tool' ? message.results.flatMap(({ result, dropped }) => (dropped ? [] : [result])) : [],
  );
  const contents = await readContents(db, scope, named);
  return messages.map((message) => resolved(message, contents));
}

/** Contents by their hashes. */
export async function readContents(db: Database, { tenant, subject }: Scope, hashes: string[]): Promise<Contents> {
  if (hashes.length === 0) return new Map();
  const { rows } = await sql<{ hash: string; content: string }>`
    select named.hash, convert_from(c.bytes, 'UTF8') as content
    from unnest(${[...new Set(hashes)]}::text[]) as named (hash) cross join lateral (
      select bytes from contents where tenant = ${tenant} and subject = ${subject} and hash = named.hash limit 1
    ) c`.execute(db);
  return new Map(rows.map(({ hash, content }) => [hash, content]));
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
