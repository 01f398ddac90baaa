import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import type { MessageStore } from '../../../contract/ports/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage, ToolMessage } from '../../../contract/messages.ts';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, sha256 } from '../../support/documents/put-document.ts';

let env: TestEnvironment;
let conversations: MessageStore;
beforeAll(async () => {
  env = await createTestEnvironment();
  conversations = createMessageStore(env.postgres.db);
});
afterAll(() => env?.close());

async function stored(content: JsonValue): Promise<string> {
  const text = JSON.stringify(content);
  const hash = sha256(text);
  await env.postgres.pool.query(
    'insert into contents (tenant, subject, hash, bytes) values ($1, $2, $3, $4) on conflict do nothing',
    [local.tenant, local.subject, hash, Buffer.from(text)],
  );
  return hash;
}
type Result = ToolMessage['results'][number];
const found = (result: string, more: Partial<Result> = {}): ToolMessage => ({
  role: 'tool',
  results: [{ callId: 'c1', tool: 'look', result, isError: false, ...more }],
});
const asked = (text: string): StoredMessage => ({ role: 'user', text });
const said = (text: string): StoredMessage => ({ role: 'assistant', parts: [{ type: 'text', text }] });

async function chain(messages: StoredMessage[], parent: string | null = null) {
  for (const message of messages) parent = await conversations.append(local, parent, message);
  return parent ?? '';
}
const rowsOf = async () =>
  (await env.postgres.pool.query<{ n: number }>('select count(*)::int as n from messages')).rows[0]?.n;

test('a conversation is loaded with its results, oldest first, beside the form it is stored in', async () => {
  const result = await stored({ rows: 3 });
  const messages = [asked('How many?'), said('I look.'), found(result), said('3')];
  const { messages: loaded, stored: kept, counted } = await conversations.load(local, await chain(messages));
  expect(loaded).toEqual([
    messages[0],
    messages[1],
    { role: 'tool', results: [{ callId: 'c1', tool: 'look', isError: false, output: { rows: 3 } }] },
    messages[3],
  ]);
  expect(kept).toEqual(messages);
  expect(counted).toBeUndefined();
});

test('the last message that a model has counted is told with its place', async () => {
  const first = await chain([asked('Count'), said('one')]);
  const second = await chain([asked('and'), said('two')], first);
  const head = await chain([asked('on')], second);
  for (const [hash, tokens] of [
    [first, 10],
    [second, 25],
  ])
    await env.postgres.pool.query('update messages set context_tokens = $2, counted_by = $3 where hash = $1', [
      hash,
      tokens,
      'scripted:x',
    ]);
  expect((await conversations.load(local, head)).counted).toEqual({ index: 3, tokens: 25, by: 'scripted:x' });
});

test('a dropped result says how to read it again, and its content is not read', async () => {
  const unreadable = 'e'.repeat(64);
  const statement = 'insert into contents (tenant, subject, hash, bytes) values ($1, $2, $3, $4)';
  await env.postgres.pool.query(statement, [local.tenant, local.subject, unreadable, Buffer.from([0xff])]);
  const head = await chain([asked('What?'), found(unreadable, { dropped: true })]);
  const { messages } = await conversations.load(local, head);
  expect(messages[1]).toEqual({
    role: 'tool',
    results: [
      {
        callId: 'c1',
        tool: 'look',
        isError: false,
        output: { dropped: true, readMore: 'To read this result again call read_result with callId "c1".' },
      },
    ],
  });
  const missing = await chain([asked('What?'), found('0'.repeat(64))]);
  await expect(conversations.load(local, missing)).rejects.toMatchObject({ code: 'internal' });
});

test.each<[string, JsonValue, JsonValue]>([
  ['an object', { rows: 1 }, { rows: 1, note: expect.stringContaining('same call before') as never }],
  ['a text', 'one', { result: 'one', note: expect.stringContaining('same call before') as never }],
  ['a list', [1], { result: [1], note: expect.stringContaining('same call before') as never }],
  ['null', null, { result: null, note: expect.stringContaining('same call before') as never }],
])('a model that repeats a call reads so beside the result: %s', async (_, output, read) => {
  const head = await chain([asked('Again'), found(await stored(output), { repeated: true })]);
  const [, message] = (await conversations.load(local, head)).messages;
  expect(message?.role === 'tool' && message.results[0]?.output).toEqual(read);
});

test('behind a compaction nothing is read: the cost of a conversation does not grow with what was before', async () => {
  const result = await stored('a'.repeat(1_000));
  const old = [asked('First'), ...Array.from({ length: 50 }, (_, i) => [said(`turn ${i}`), found(result)]).flat()];
  const from = await chain(old);
  const kept = [asked('First'), said('turn 49'), found(result)];
  const root = { role: 'compaction' as const, from, summary: 'Much was looked at.', passages: { a: 1 } };
  const head = await chain([said('done')], await conversations.storeCompacted(local, [root, ...kept]));

  const loaded = await conversations.load(local, head);
  expect(loaded.stored).toEqual([root, ...kept, said('done')]);
  expect((await conversations.loadAll(local, head)).filter(({ role }) => role === 'assistant')).toHaveLength(51);

  await env.postgres.pool.query('delete from messages where hash = $1', [from]);
  expect(await conversations.load(local, head)).toEqual(loaded);
});

test('a count after a compaction is told with its place among what was kept', async () => {
  const from = await chain([asked('Long'), said('x')]);
  const kept = [asked('Long'), said('y')];
  const head = await chain([said('z')], await conversations.storeCompacted(local, [{ role: 'compaction', from, passages: {} }, ...kept])); // prettier-ignore
  await env.postgres.pool.query("update messages set context_tokens = 9, counted_by = 'a:b' where hash = $1", [head]);
  const { counted, messages } = await conversations.load(local, await chain([asked('more')], head));
  expect(counted).toEqual({ index: 3, tokens: 9, by: 'a:b' });
  expect(messages[3]).toEqual(said('z'));
});

test('a long conversation is looked up message by message, also while the planner believes that nobody says much', async () => {
  const result = await stored('found');
  await env.postgres.pool.query(
    `insert into messages (tenant, subject, hash, depth, body)
     select $1, 'short-' || n, 'short-' || n, 0, '{"role": "user", "text": "?"}' from generate_series(1, 3000) n`,
    [local.tenant],
  );
  await env.postgres.pool.query('analyze messages');
  await env.postgres.pool.query(
    `insert into messages (tenant, subject, hash, parent, depth, body)
     select $1, $2, 'long-' || n, case when n > 0 then 'long-' || n - 1 end, n,
       jsonb_build_object('role', 'tool', 'results', jsonb_build_array(jsonb_build_object(
         'callId', 'c' || n, 'tool', 'look', 'isError', false, 'result', $3::text)))
     from generate_series(0, 2999) n`,
    [local.tenant, 'long', result],
  );
  await env.postgres.pool.query(
    'insert into contents select tenant, $2, hash, bytes from contents where hash = $1 and subject = $3',
    [result, 'long', local.subject],
  );
  await env.postgres.pool.query(
    `insert into messages (tenant, subject, hash, depth, body)
     select $1, 'long', 'other-' || n, 0, '{"role": "user", "text": "?"}' from generate_series(1, 20000) n`,
    [local.tenant],
  );
  // What was read is counted by connection, and told at its next transaction.
  const one = openPostgres({ ...env.config, DATABASE_POOL_SIZE: 1 }, env.log);
  const read = async () => {
    await one.pool.query('select pg_stat_force_next_flush()');
    const { rows } = await one.pool.query<{ n: number }>(
      `select sum(idx_tup_fetch + seq_tup_read)::int as n from pg_stat_user_tables where relname in ('messages', 'contents')`,
    );
    return rows[0]?.n ?? 0;
  };
  try {
    const before = await read();
    const { messages } = await createMessageStore(one.db).load({ ...local, subject: 'long' }, 'long-2999');
    expect(messages).toHaveLength(3_000);
    const rowsRead = (await read()) - before;
    expect(rowsRead).toBeGreaterThanOrEqual(3_000);
    expect(rowsRead).toBeLessThan(10_000);
  } finally {
    await one.close();
  }
});

test('all that was ever said is told once, also behind two compactions, and dropped results are whole again', async () => {
  const [one, two] = [await stored('first result'), await stored('second result')];
  const from = await chain([asked('Q'), said('a'), found(one), said('b'), found(two)]);
  const shorter = await conversations.storeCompacted(local, [
    { role: 'compaction', from, passages: {} },
    asked('Q'),
    said('a'),
    found(one, { dropped: true }),
    said('b'),
    found(two),
  ]);
  const later = await chain([said('c'), asked('Q2'), said('d')], shorter);
  const shortest = await conversations.storeCompacted(local, [
    { role: 'compaction', from: later, summary: 's', passages: {} },
    asked('Q'),
    asked('Q2'),
    said('d'),
  ]);
  const all = await conversations.loadAll(local, await chain([asked('Q3')], shortest));
  const told = all.map((message) => {
    if (message.role === 'tool') return message.results[0]?.output;
    return message.role === 'user' ? message.text : message.role === 'assistant' ? message.parts[0] : message.role;
  });
  const text = (of: string) => ({ type: 'text', text: of });
  expect(told).toEqual(['Q', text('a'), 'first result', text('b'), 'second result', text('c'), 'Q2', text('d'), 'Q3']);
});

test('a shorter chain is stored once however often it comes, and its head depends on what it stands for', async () => {
  const from = await chain([asked('Twice'), said('x')]);
  const messages: StoredMessage[] = [{ role: 'compaction', from, passages: {} }, asked('Twice'), said('x')];
  const heads = await Promise.all([1, 2, 3].map(() => conversations.storeCompacted(local, messages)));
  const rows = await rowsOf();
  expect(await conversations.storeCompacted(local, messages)).toBe(heads[0]);
  expect(new Set(heads).size).toBe(1);
  expect(await rowsOf()).toBe(rows);
  const other = await conversations.storeCompacted(local, [
    { role: 'compaction', from: 'f'.repeat(64), passages: {} },
    asked('Twice'),
    said('x'),
  ]);
  expect(other).not.toBe(heads[0]);
  await expect(conversations.storeCompacted(local, [asked('no root')])).rejects.toMatchObject({ code: 'internal' });
});

describe('a stored result', () => {
  const newTask = async (
    calls: { callId: string; step: number; tool: string; content?: JsonValue; full?: JsonValue }[],
  ) => {
    const { rows } = await env.postgres.pool.query<{ id: string }>(
      `insert into tasks (id, tenant, subject, agent, status, request_hash, input_head)
       values (gen_random_uuid(), $1, $2, 'knowledge', 'running', 'h', 'h') returning id`,
      [local.tenant, local.subject],
    );
    const id = rows[0]?.id ?? '';
    for (const { callId, step, tool, content, full } of calls)
      await env.postgres.pool.query(
        'insert into tool_calls (task_id, call_id, step, tool, result_hash, full_hash) values ($1, $2, $3, $4, $5, $6)',
        [
          id,
          callId,
          step,
          tool,
          content === undefined ? null : await stored(content),
          full === undefined ? null : await stored(full),
        ],
      );
    return id;
  };

  test('is the whole of it, also where the model was shown a part', async () => {
    const id = await newTask([
      { callId: 'short', step: 1, tool: 'look', content: { rows: 1 } },
      { callId: 'long', step: 2, tool: 'look', content: { head: 'a' }, full: 'abc' },
    ]);
    expect(await conversations.findToolResult(local, id, 'short')).toBe('{"rows":1}');
    expect(await conversations.findToolResult(local, id, 'long')).toBe('"abc"');
  });

  test('is the newest when a model gives an id again, and not what was read of it', async () => {
    const id = await newTask([
      { callId: 'call-0', step: 1, tool: 'look', content: 'old' },
      { callId: 'call-0', step: 2, tool: 'look', content: 'new' },
      { callId: 'call-0', step: 3, tool: 'read_result', content: 'slice' },
      { callId: 'call-0', step: 4, tool: 'look' },
    ]);
    expect(await conversations.findToolResult(local, id, 'call-0')).toBe('"new"');
  });

  test('is not there for another task or subject, a call that still runs, or what is no task', async () => {
    const id = await newTask([
      { callId: 'done', step: 1, tool: 'look', content: 1 },
      { callId: 'running', step: 2, tool: 'look' },
    ]);
    const other = await newTask([]);
    expect(await conversations.findToolResult(local, id, 'running')).toBeUndefined();
    expect(await conversations.findToolResult(local, other, 'done')).toBeUndefined();
    expect(await conversations.findToolResult({ ...local, tenant: 'other' }, id, 'done')).toBeUndefined();
    expect(await conversations.findToolResult({ ...local, subject: 'other' }, id, 'done')).toBeUndefined();
    expect(await conversations.findToolResult(local, 'no-task', 'done')).toBeUndefined();
  });
});

test('a stored result of an earlier task is found in its conversation, the newest one of an id, and nowhere else', async () => {
  const task = async (conversation: string | null, createdAt: string, content?: JsonValue) => {
    const { rows } = await env.postgres.pool.query<{ id: string }>(
      `insert into tasks (id, tenant, subject, agent, status, request_hash, input_head, conversation_id, created_at)
       values (gen_random_uuid(), $1, $2, 'knowledge', 'running', 'h', 'h', $3, $4) returning id`,
      [local.tenant, local.subject, conversation, createdAt],
    );
    const id = rows[0]?.id ?? '';
    if (content !== undefined)
      await env.postgres.pool.query(
        `insert into tool_calls (task_id, call_id, step, tool, result_hash) values ($1, 'call-0', 1, 'look', $2)`,
        [id, await stored(content)],
      );
    return id;
  };
  await task('talk', '2026-01-01', 'first');
  await task('talk', '2026-01-02', 'second');
  await task('other talk', '2026-01-03', 'elsewhere');
  await task(null, '2026-01-03', 'alone');
  const now = await task('talk', '2026-01-04');
  expect(await conversations.findToolResult(local, now, 'call-0')).toBe('"second"');
  expect(await conversations.findToolResult(local, await task(null, '2026-01-04'), 'call-0')).toBeUndefined();
});

test('a conversation and its results belong to one subject of one tenant', async () => {
  const head = await chain([asked('Mine')]);
  for (const other of [
    { tenant: 'other', subject: 'local' },
    { tenant: 'local', subject: 'other' },
  ]) {
    await expect(conversations.load(other, head)).rejects.toMatchObject({ code: 'internal' });
    await expect(conversations.loadAll(other, head)).rejects.toMatchObject({ code: 'internal' });
  }
});
