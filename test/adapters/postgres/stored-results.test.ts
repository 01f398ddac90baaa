import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import type { MessageStore } from '../../../contract/ports/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
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
          content === undefined ? null : await storeContent(content),
          full === undefined ? null : await storeContent(full),
        ],
      );
    return id;
  };

  test('is the whole result, also when the model got only a part', async () => {
    const id = await newTask([
      { callId: 'short', step: 1, tool: 'look', content: { rows: 1 } },
      { callId: 'long', step: 2, tool: 'look', content: { head: 'a' }, full: 'abc' },
    ]);
    expect(await store.findToolResult(local, id, 'short')).toBe('{"rows":1}');
    expect(await store.findToolResult(local, id, 'long')).toBe('"abc"');
  });

  test('is the newest one of a call id that a model uses again, and never a slice by read_result', async () => {
    const id = await newTask([
      { callId: 'call-0', step: 1, tool: 'look', content: 'old' },
      { callId: 'call-0', step: 2, tool: 'look', content: 'new' },
      { callId: 'call-0', step: 3, tool: 'read_result', content: 'slice' },
      { callId: 'call-0', step: 4, tool: 'look' },
    ]);
    expect(await store.findToolResult(local, id, 'call-0')).toBe('"new"');
  });

  test('is not found for another task or subject, for a running call, or for an id that is no task', async () => {
    const id = await newTask([
      { callId: 'done', step: 1, tool: 'look', content: 1 },
      { callId: 'running', step: 2, tool: 'look' },
    ]);
    const other = await newTask([]);
    expect(await store.findToolResult(local, id, 'running')).toBeUndefined();
    expect(await store.findToolResult(local, other, 'done')).toBeUndefined();
    expect(await store.findToolResult({ ...local, tenant: 'other' }, id, 'done')).toBeUndefined();
    expect(await store.findToolResult({ ...local, subject: 'other' }, id, 'done')).toBeUndefined();
    expect(await store.findToolResult(local, 'no-task', 'done')).toBeUndefined();
  });
});

test('a result of an earlier task is found in its conversation only, and there the newest one of a call id', async () => {
  const insertTask = async (conversation: string | null, createdAt: string, content?: JsonValue) => {
    const { rows } = await env.postgres.pool.query<{ id: string }>(
      `insert into tasks (id, tenant, subject, agent, status, request_hash, input_head, conversation_id, created_at)
       values (gen_random_uuid(), $1, $2, 'knowledge', 'running', 'h', 'h', $3, $4) returning id`,
      [local.tenant, local.subject, conversation, createdAt],
    );
    const id = rows[0]?.id ?? '';
    if (content !== undefined)
      await env.postgres.pool.query(
        `insert into tool_calls (task_id, call_id, step, tool, result_hash) values ($1, 'call-0', 1, 'look', $2)`,
        [id, await storeContent(content)],
      );
    return id;
  };
  await insertTask('conversation', '2026-01-01', 'first');
  await insertTask('conversation', '2026-01-02', 'second');
  await insertTask('other conversation', '2026-01-03', 'elsewhere');
  await insertTask(null, '2026-01-03', 'alone');
  const now = await insertTask('conversation', '2026-01-04');
  expect(await store.findToolResult(local, now, 'call-0')).toBe('"second"');
  expect(await store.findToolResult(local, await insertTask(null, '2026-01-04'), 'call-0')).toBeUndefined();
});
