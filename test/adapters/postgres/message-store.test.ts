import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import type { MessageStore } from '../../../contract/ports/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage, ToolMessage } from '../../../contract/messages.ts';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, sha256 } from '../../support/documents/put-document.ts';

let env: TestEnvironment;
let store: MessageStore;
beforeAll(async () => {
  env = await createTestEnvironment();
  store = createMessageStore(env.postgres.db);
});
afterAll(() => env?.close());

async function storeContent(content: JsonValue): Promise<string> {
  const text = JSON.stringify(content);
  const hash = sha256(text);
  await env.postgres.pool.query(
    'insert into contents (tenant, subject, hash, bytes) values ($1, $2, $3, $4) on conflict do nothing',
    [local.tenant, local.subject, hash, Buffer.from(text)],
  );
  return hash;
}
type Result = ToolMessage['results'][number];
const toolMessage = (result: string, more: Partial<Result> = {}): ToolMessage => ({
  role: 'tool',
  results: [{ callId: 'c1', tool: 'look', result, isError: false, ...more }],
});
const userMessage = (text: string): StoredMessage => ({ role: 'user', text });
const answer = (text: string): StoredMessage => ({ role: 'assistant', parts: [{ type: 'text', text }] });

async function appendAll(messages: StoredMessage[], parent: string | null = null) {
  for (const message of messages) parent = await store.append(local, parent, message);
  return parent ?? '';
}
const countMessages = async () =>
  (await env.postgres.pool.query<{ n: number }>('select count(*)::int as n from messages')).rows[0]?.n;

test('a conversation is loaded with its results, oldest first, and also in its stored form', async () => {
  const result = await storeContent({ rows: 3 });
  const messages = [userMessage('How many?'), answer('I look.'), toolMessage(result), answer('3')];
  const { messages: loaded, stored: kept, counted } = await store.load(local, await appendAll(messages));
  expect(loaded).toEqual([
    messages[0],
    messages[1],
    { role: 'tool', results: [{ callId: 'c1', tool: 'look', isError: false, output: { rows: 3 } }] },
    messages[3],
  ]);
  expect(kept).toEqual(messages);
  expect(counted).toBeUndefined();
});

test('the last message at which a model counted tokens is returned with its index', async () => {
  const first = await appendAll([userMessage('Count'), answer('one')]);
  const second = await appendAll([userMessage('and'), answer('two')], first);
  const head = await appendAll([userMessage('on')], second);
  for (const [hash, tokens] of [
    [first, 10],
    [second, 25],
  ])
    await env.postgres.pool.query('update messages set context_tokens = $2, counted_by = $3 where hash = $1', [
      hash,
      tokens,
      'scripted:x',
    ]);
  expect((await store.load(local, head)).counted).toEqual({ index: 3, tokens: 25, by: 'scripted:x' });
});

test('a dropped result explains how to read it again, and its content is not read', async () => {
  const unreadable = 'e'.repeat(64);
  const statement = 'insert into contents (tenant, subject, hash, bytes) values ($1, $2, $3, $4)';
  await env.postgres.pool.query(statement, [local.tenant, local.subject, unreadable, Buffer.from([0xff])]);
  const head = await appendAll([userMessage('What?'), toolMessage(unreadable, { dropped: true })]);
  const { messages } = await store.load(local, head);
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
  const missing = await appendAll([userMessage('What?'), toolMessage('0'.repeat(64))]);
  await expect(store.load(local, missing)).rejects.toMatchObject({ code: 'internal' });
});

test.each<[string, JsonValue, JsonValue]>([
  ['an object', { rows: 1 }, { rows: 1, note: expect.stringContaining('same call before') as never }],
  ['a text', 'one', { result: 'one', note: expect.stringContaining('same call before') as never }],
  ['a list', [1], { result: [1], note: expect.stringContaining('same call before') as never }],
  ['null', null, { result: null, note: expect.stringContaining('same call before') as never }],
])('a repeated call has a note beside its result: %s', async (_, output, read) => {
  const head = await appendAll([userMessage('Again'), toolMessage(await storeContent(output), { repeated: true })]);
  const [, message] = (await store.load(local, head)).messages;
  expect(message?.role === 'tool' && message.results[0]?.output).toEqual(read);
});

test('messages before a compaction are not read, so they do not add to the cost of loading', async () => {
  const result = await storeContent('a'.repeat(1_000));
  const old = [
    userMessage('First'),
    ...Array.from({ length: 50 }, (_, i) => [answer(`turn ${i}`), toolMessage(result)]).flat(),
  ];
  const from = await appendAll(old);
  const kept = [userMessage('First'), answer('turn 49'), toolMessage(result)];
  const root = { role: 'compaction' as const, from, summary: 'Much was looked at.', passages: { a: 1 } };
  const head = await appendAll([answer('done')], await store.storeCompacted(local, [root, ...kept]));

  const loaded = await store.load(local, head);
  expect(loaded.stored).toEqual([root, ...kept, answer('done')]);
  expect((await store.loadAll(local, head)).filter(({ role }) => role === 'assistant')).toHaveLength(51);

  await env.postgres.pool.query('delete from messages where hash = $1', [from]);
  expect(await store.load(local, head)).toEqual(loaded);
});

test('a token count after a compaction is returned with its index among the kept messages', async () => {
  const from = await appendAll([userMessage('Long'), answer('x')]);
  const kept = [userMessage('Long'), answer('y')];
  const head = await appendAll([answer('z')], await store.storeCompacted(local, [{ role: 'compaction', from, passages: {} }, ...kept])); // prettier-ignore
  await env.postgres.pool.query("update messages set context_tokens = 9, counted_by = 'a:b' where hash = $1", [head]);
  const { counted, messages } = await store.load(local, await appendAll([userMessage('more')], head));
  expect(counted).toEqual({ index: 3, tokens: 9, by: 'a:b' });
  expect(messages[3]).toEqual(answer('z'));
});

test('a long conversation is read message by message, also while the planner expects subjects to have few messages', async () => {
  const result = await storeContent('found');
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
  // Postgres counts rows read by connection, and reports them at the connection's next transaction.
  const single = openPostgres({ ...env.config, DATABASE_POOL_SIZE: 1 }, env.log);
  const read = async () => {
    await single.pool.query('select pg_stat_force_next_flush()');
    const { rows } = await single.pool.query<{ n: number }>(
      `select sum(idx_tup_fetch + seq_tup_read)::int as n from pg_stat_user_tables where relname in ('messages', 'contents')`,
    );
    return rows[0]?.n ?? 0;
  };
  try {
    const before = await read();
    const { messages } = await createMessageStore(single.db).load({ ...local, subject: 'long' }, 'long-2999');
    expect(messages).toHaveLength(3_000);
    const rowsRead = (await read()) - before;
    expect(rowsRead).toBeGreaterThanOrEqual(3_000);
    expect(rowsRead).toBeLessThan(10_000);
  } finally {
    await single.close();
  }
});

test('all messages are loaded once, also those before two compactions, and with the contents of dropped results', async () => {
  const [first, second] = [await storeContent('first result'), await storeContent('second result')];
  const from = await appendAll([userMessage('Q'), answer('a'), toolMessage(first), answer('b'), toolMessage(second)]);
  const shorter = await store.storeCompacted(local, [
    { role: 'compaction', from, passages: {} },
    userMessage('Q'),
    answer('a'),
    toolMessage(first, { dropped: true }),
    answer('b'),
    toolMessage(second),
  ]);
  const later = await appendAll([answer('c'), userMessage('Q2'), answer('d')], shorter);
  const shortest = await store.storeCompacted(local, [
    { role: 'compaction', from: later, summary: 's', passages: {} },
    userMessage('Q'),
    userMessage('Q2'),
    answer('d'),
  ]);
  const all = await store.loadAll(local, await appendAll([userMessage('Q3')], shortest));
  const contents = all.map((message) => {
    if (message.role === 'tool') return message.results[0]?.output;
    return message.role === 'user' ? message.text : message.role === 'assistant' ? message.parts[0] : message.role;
  });
  const text = (of: string) => ({ type: 'text', text: of });
  expect(contents).toEqual([
    'Q',
    text('a'),
    'first result',
    text('b'),
    'second result',
    text('c'),
    'Q2',
    text('d'),
    'Q3',
  ]);
});

test('a compacted chain is stored once, and its head depends on the chain that it replaces', async () => {
  const from = await appendAll([userMessage('Twice'), answer('x')]);
  const messages: StoredMessage[] = [{ role: 'compaction', from, passages: {} }, userMessage('Twice'), answer('x')];
  const heads = await Promise.all([1, 2, 3].map(() => store.storeCompacted(local, messages)));
  const rows = await countMessages();
  expect(await store.storeCompacted(local, messages)).toBe(heads[0]);
  expect(new Set(heads).size).toBe(1);
  expect(await countMessages()).toBe(rows);
  const other = await store.storeCompacted(local, [
    { role: 'compaction', from: 'f'.repeat(64), passages: {} },
    userMessage('Twice'),
    answer('x'),
  ]);
  expect(other).not.toBe(heads[0]);
  await expect(store.storeCompacted(local, [userMessage('no root')])).rejects.toMatchObject({ code: 'internal' });
});

test('a conversation and its results belong to one subject of one tenant', async () => {
  const head = await appendAll([userMessage('Mine')]);
  for (const other of [
    { tenant: 'other', subject: 'local' },
    { tenant: 'local', subject: 'other' },
  ]) {
    await expect(store.load(other, head)).rejects.toMatchObject({ code: 'internal' });
    await expect(store.loadAll(other, head)).rejects.toMatchObject({ code: 'internal' });
  }
});
