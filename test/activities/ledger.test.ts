import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../activities/adapters/index.ts';
import type { CompletedModelCall } from '../../activities/ports.ts';
import type { Head, TaskRef } from '../../contract/references.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';

let env: TestEnvironment;
let adapters: Adapters;
let task: TaskRef;
let head: Head;
const scope = { tenant: 'local', subject: 'local' };
const run = { runId: 'run-1' };

beforeAll(async () => {
  env = await createTestEnvironment();
  adapters = createAdapters(env);
});
beforeEach(async () => {
  const created = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: 'Why?' } }, {});
  task = { ...scope, taskId: created.id, agent: 'knowledge' };
  head = created.head;
  await adapters.tasks.start(task, run, 'scripted:x');
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

const call = (attempt: number, text: string): CompletedModelCall => ({
  step: 1,
  attempt,
  provider: 'scripted',
  model: 'x',
  usage: { inputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 5, costUsd: 0.01 },
  durationMs: 1,
  firstTokenMs: 1,
  parent: head,
  parts: [{ type: 'text', text }],
  stopReason: 'end',
  result: { text, citations: [] },
});
const events = async () => (await adapters.events.read(scope, task.taskId, 0, 500)).map(({ type }) => type);
const begin = (attempt: number) => adapters.ledger.beginModelCall(task, { step: 1, attempt, model: 'scripted:x' });

test('of ten attempts that settle the same step at once one counts and the others are waste', async () => {
  await begin(1);
  const turns = await Promise.all(
    Array.from({ length: 10 }, (_, i) => adapters.ledger.settleModelCall(task, call(i + 1, `answer ${i}`))),
  );
  expect(new Set(turns.map((turn) => JSON.stringify(turn))).size).toBe(1);
  expect((await events()).filter((type) => type === 'model.completed')).toHaveLength(1);
  const { rows } = await env.postgres.pool.query<{ outcome: string; n: number }>(
    'select outcome, count(*) as n from model_calls where task_id = $1 group by 1 order by 1',
    [task.taskId],
  );
  expect(rows).toEqual([
    { outcome: 'completed', n: 1 },
    { outcome: 'wasted', n: 9 },
  ]);
  // Waste is money too.
  expect((await adapters.tasks.get(scope, task.taskId))?.usage).toMatchObject({ modelCalls: 10, costUsd: 0.1 });
});

test('a later attempt is told what the step has paid for, and tells its followers nothing', async () => {
  expect(await begin(1)).toBeUndefined();
  const turn = await adapters.ledger.settleModelCall(task, call(1, 'answer'));
  const before = await events();
  expect(await begin(2)).toEqual(turn);
  expect(await events()).toEqual(before);
});

test('an attempt that was overtaken may not stream any more, nor may an ended task', async () => {
  await begin(1);
  expect(await adapters.events.appendText(task, { step: 1, attempt: 1 }, 'a')).toBe(true);
  await begin(2);
  expect(await adapters.events.appendText(task, { step: 1, attempt: 1 }, 'late')).toBe(false);
  expect(await adapters.events.appendText(task, { step: 1, attempt: 2 }, 'b')).toBe(true);
  await adapters.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  expect(await adapters.events.appendText(task, { step: 1, attempt: 2 }, 'too late')).toBe(false);
  expect((await events()).at(-1)).toBe('task.cancelled');
});

test('a tool call returns its receipt on every repeat', async () => {
  const asked = { callId: 'c1', tool: 'look', step: 1, arguments: { at: 1 } };
  expect(await adapters.ledger.beginToolCall(task, asked)).toBeUndefined();
  // The first attempt died before it settled: the second runs the tool.
  expect(await adapters.ledger.beginToolCall(task, asked)).toBeUndefined();
  const outcome = { callId: 'c1', tool: 'look', step: 1, isError: false, summary: 's', durationMs: 1 };
  const receipts = await Promise.all(
    [1, 2, 3].map((output) => adapters.ledger.settleToolCall(task, { ...outcome, output })),
  );
  expect(new Set(receipts.map(({ result }) => result)).size).toBe(1);
  expect(await adapters.ledger.beginToolCall(task, asked)).toEqual(receipts[0]);
  expect((await events()).filter((type) => type.startsWith('tool.'))).toEqual(['tool.started', 'tool.completed']);
});

test('a task ends once, whoever ends it first', async () => {
  const ends = await Promise.all([
    adapters.tasks.close(task, run, { status: 'cancelled', reason: 'a' }),
    adapters.tasks.close(task, undefined, { status: 'failed', code: 'terminated', message: 'b' }),
    adapters.tasks.close(task, run, { status: 'cancelled', reason: 'c' }),
  ]);
  const types = (await events()).filter((type) => type === 'task.cancelled' || type === 'task.failed');
  expect(types.length).toBe(ends.filter(Boolean).length);
  expect(types.at(-1)).toBe('task.cancelled');
});

test('another subject or tenant sees neither the task nor its events', async () => {
  for (const other of [
    { tenant: 'other', subject: 'local' },
    { tenant: 'local', subject: 'other' },
  ]) {
    expect(await adapters.tasks.get(other, task.taskId)).toBeUndefined();
    expect(await adapters.events.read(other, task.taskId, 0, 10)).toEqual([]);
    expect((await adapters.tasks.list(other, { limit: 10 })).tasks).toEqual([]);
    await expect(adapters.conversations.load(other, head)).rejects.toThrow();
  }
});
