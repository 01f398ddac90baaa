import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { CompactionMessage, StoredMessage, ToolMessage } from '../../../contract/messages.ts';
import type { MessageHead, Scope, TaskRef } from '../../../contract/references.ts';
import { droppedOutput } from '../../../contract/rules/tool-output.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { MessageChain, Message, TaskInstructions } from '../../../contract/ports/index.ts';
import { instructionsJson, toInstructions } from './task-instructions.ts';

/**
 * A compacted chain in one row: the compaction and the messages it
 * keeps. The number of kept messages does not add rows to read.
 */
export type CompactedChain = CompactionMessage & { kept: StoredMessage[] };

type Row = { body: StoredMessage | CompactedChain; context_tokens: number | null; counted_by: string | null };
type Contents = Map<string, string>;

/** Loads the chain from a head back to its root: the first message or the last compaction. */
export async function loadChain(db: Database, scope: Scope, head: MessageHead): Promise<MessageChain> {
  return chainOf(await readChain(db, scope, { head, parentOf: sql`c.parent`, withResults: true }));
}

/** Loads a chain with a message that follows it and is not stored, and the instructions of its task. */
export async function openChain(
  db: Database,
  task: TaskRef,
  head: MessageHead,
  next: ToolMessage | undefined,
): Promise<{ conversation: MessageChain; instructions: TaskInstructions }> {
  const step = { taskId: task.taskId, results: next?.results.map(({ result }) => result) ?? [] };
  const read = await readChain(db, task, { head, parentOf: sql`c.parent`, withResults: true, step });
  return { conversation: chainOf(read, next), instructions: toInstructions(read.contents.get(ofInstructions)) };
}

function chainOf({ rows, contents }: ReadChain, next?: StoredMessage): MessageChain {
  const stored = rows.flatMap(({ body }) => messagesOf(body));
  const lastCounted = rows.findLastIndex(({ context_tokens: tokens }) => tokens !== null);
  const { context_tokens: tokens, counted_by: by } = rows[lastCounted] ?? {};
  // The first row may hold several messages: a compaction and those it keeps. Every other row is one message.
  const index = stored.length - rows.length + lastCounted;
  const all = next ? [...stored, next] : stored;
  return {
    messages: all.map((message) => withContents(message, contents)),
    stored: all,
    ...(tokens != null && by != null ? { counted: { index, tokens, by } } : {}),
  };
}

const messagesOf = (body: StoredMessage | CompactedChain): StoredMessage[] => {
  if (!('kept' in body)) return [body];
  const { kept, ...root } = body;
  return [root, ...kept];
};

/** The hash of the message before message `c`, also before a compaction. */
const before = sql`coalesce(c.parent, c.body->>'from')`;

/**
 * Loads all messages of a conversation, also those that compactions replaced.
 * The messages that a compaction kept come from the chain that it replaced.
 */
export async function loadAllMessages(db: Database, scope: Scope, head: MessageHead): Promise<Message[]> {
  const { rows, contents } = await readChain(db, scope, { head, parentOf: before, withResults: true });
  return rows.flatMap(({ body }) => (body.role === 'compaction' ? [] : [withContents(body, contents)]));
}

/** Tool results per query: of a long conversation not all are in memory at once. */
const resultsPerQuery = 20;

/** Yields the outputs of tools in a conversation up to a message, newest first. Stop reading when enough was found. */
export async function* readOutputsFromEnd(db: Database, scope: Scope, head: MessageHead): AsyncGenerator<JsonValue[]> {
  const { rows } = await readChain(db, scope, { head, parentOf: before, withResults: false });
  const hashes = rows
    .flatMap(({ body }) => (body.role === 'tool' ? body.results : []))
    .flatMap(({ result, dropped }) => (dropped ? [] : [result]))
    .reverse();
  for (let start = 0; start < hashes.length; start += resultsPerQuery) {
    const batch = hashes.slice(start, start + resultsPerQuery);
    const contents = await readContents(db, scope, batch);
    yield batch.flatMap((hash) => {
      const content = contents.get(hash);
      return content === undefined ? [] : [JSON.parse(content) as JsonValue];
    });
  }
}

type ChainQuery = {
  head: MessageHead;
  /** An expression for the hash of the message before message `c`. */
  parentOf: ReturnType<typeof sql>;
  /** Reads the tool results too that the messages name. Dropped results are left out. */
  withResults: boolean;
  /** A task whose instructions are read too, and results that no stored message names yet. */
  step?: { taskId: string; results: string[] };
};
type ChainRow = Row & { hash: string | null; content: string };
type ReadChain = { rows: Row[]; contents: Contents };

/** Stands for a hash in the row of the instructions. */
const ofInstructions = '';

/**
 * Reads the messages from the root to a head.
 *
 * The lateral subquery with its limit makes Postgres look up each message by its key. With a plain join the planner may
 * choose to scan all messages of the subject for each message of the chain.
 */
async function readChain(
  db: Database,
  { tenant, subject }: Scope,
  { head, parentOf, withResults, step }: ChainQuery,
): Promise<ReadChain> {
  const results = sql`
    union all
    select null, null, null, null, named.hash, convert_from(stored.bytes, 'UTF8')
    from (
      select distinct r->>'result' as hash from chain cross join lateral (
        select jsonb_path_query(body, '$.results[*]') as r union all select jsonb_path_query(body, '$.kept[*].results[*]')
      ) listed where r->>'dropped' is distinct from 'true'
      ${step ? sql`union select unnest(${step.results}::text[])` : sql``}
    ) named cross join lateral (
      select bytes from contents where tenant = ${tenant} and subject = ${subject} and hash = named.hash limit 1
    ) stored`;
  const instructions = sql`
    union all
    select null, null, null, null, ${sql.lit(ofInstructions)}, (${instructionsJson})::text
    from tasks t where t.id = ${step?.taskId} and t.tenant = ${tenant}`;
  const { rows } = await sql<ChainRow>`
    with recursive chain as (
      select parent, body, context_tokens, counted_by, 0 as back from messages
      where tenant = ${tenant} and subject = ${subject} and hash = ${head}
      union all
      select m.parent, m.body, m.context_tokens, m.counted_by, c.back + 1 from chain c cross join lateral (
        select parent, body, context_tokens, counted_by from messages
        where tenant = ${tenant} and subject = ${subject} and hash = ${parentOf} limit 1
      ) m
    )
    select body, context_tokens, counted_by, back, null as hash, null as content from chain
    ${withResults ? results : sql``}
    ${step ? instructions : sql``}
    order by back desc`.execute(db);
  const messages = rows.filter(({ hash }) => hash === null);
  if (messages.length === 0) throw new AlfredError('internal', `The conversation ${head} is not stored.`);
  const contents: Contents = new Map();
  for (const { hash, content } of rows) if (hash !== null) contents.set(hash, content);
  return { rows: messages, contents };
}

/** Reads contents, as text by hash. Hashes that are not stored are left out. */
export async function readContents(db: Database, { tenant, subject }: Scope, hashes: string[]): Promise<Contents> {
  if (hashes.length === 0) return new Map();
  const { rows } = await sql<{ hash: string; content: string }>`
    select named.hash, convert_from(c.bytes, 'UTF8') as content
    from unnest(${[...new Set(hashes)]}::text[]) as named (hash) cross join lateral (
      select bytes from contents where tenant = ${tenant} and subject = ${subject} and hash = named.hash limit 1
    ) c`.execute(db);
  return new Map(rows.map(({ hash, content }) => [hash, content]));
}

function withContents(message: StoredMessage, contents: Contents): Message {
  if (message.role !== 'tool') return message;
  return {
    role: 'tool',
    results: message.results.map(({ callId, tool, result, isError, dropped, repeated }) => {
      if (dropped) return { callId, tool, isError, output: droppedOutput(callId) };
      const content = contents.get(result);
      if (content === undefined) throw new AlfredError('internal', `The tool result ${result} is not stored.`);
      const output = JSON.parse(content) as JsonValue;
      return { callId, tool, isError, output: repeated ? withNote(output) : output };
    }),
  };
}

const repeatedCallNote = 'You made this same call before, with the same result. Use it or do something else.';

const withNote = (output: JsonValue): JsonValue =>
  typeof output === 'object' && output !== null && !Array.isArray(output)
    ? { ...output, note: repeatedCallNote }
    : { result: output, note: repeatedCallNote };
