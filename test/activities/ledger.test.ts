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
const begin = (attempt: number) =>
  adapters.ledger.beginModelCall(task, { ...run, step: 1, attempt, model: 'scripted:x' });

test('of ten attempts that settle the same step at once one counts and the others are waste', async () => {
  await begin(1);
  const turns = await Promise.all(
    Array.from({ length: 10 }, (_, i) => adapters.ledger.settleModelCall(task, call(i + 1, `answer ${i}`))),
  );
  expect(new Set(turns.map(({ head: answer }) => answer)).size).toBe(1);
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
  expect(await adapters.events.appendText(task, { ...run, step: 1, attempt: 1 }, 'a')).toBe(true);
  await begin(2);
  expect(await adapters.events.appendText(task, { ...run, step: 1, attempt: 1 }, 'late')).toBe(false);
  expect(await adapters.events.appendText(task, { ...run, step: 1, attempt: 2 }, 'b')).toBe(true);
  await adapters.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  expect(await adapters.events.appendText(task, { ...run, step: 1, attempt: 2 }, 'too late')).toBe(false);
  expect((await events()).at(-1)).toBe('task.cancelled');
});

test('a tool call returns its receipt on every repeat', async () => {
  const asked = { ...run, callId: 'c1', tool: 'look', step: 1, arguments: { at: 1 } };
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
  expect(ends.filter(Boolean)).toHaveLength(1);
  expect((await events()).filter((type) => type === 'task.cancelled' || type === 'task.failed')).toHaveLength(1);
});

test('what ends late says nothing after the end, and is charged all the same', async () => {
  await begin(1);
  const asked = { ...run, callId: 'c1', tool: 'look', step: 1, arguments: {} };
  await adapters.ledger.beginToolCall(task, asked);
  await adapters.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  await adapters.ledger.settleModelCall(task, call(1, 'late'));
  await adapters.ledger.settleToolCall(task, { ...asked, output: 1, isError: false, summary: 's', durationMs: 1 });
  expect((await events()).at(-1)).toBe('task.cancelled');
  expect((await adapters.tasks.get(scope, task.taskId))?.usage).toMatchObject({ modelCalls: 1, costUsd: 0.01 });
  // Nor does anything new begin.
  await expect(adapters.ledger.beginModelCall(task, { ...run, step: 2, attempt: 1, model: 'x' })).rejects.toMatchObject(
    {
      code: 'superseded',
    },
  );
  await expect(adapters.ledger.beginToolCall(task, { ...asked, callId: 'c2' })).rejects.toMatchObject({
    code: 'superseded',
  });
  const followed = [];
  for await (const page of adapters.events.follow(scope, task.taskId, 0, AbortSignal.timeout(10_000)))
    followed.push(...page);
  expect(followed.at(-1)?.type).toBe('task.cancelled');
});

test('a call of a reset run takes the row over, and the run before it may not stream any more', async () => {
  await begin(1);
  await adapters.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'by hand' });
  const next = { runId: 'run-2', step: 1, attempt: 1 };
  expect(await adapters.ledger.beginModelCall(task, { ...next, model: 'scripted:x' })).toBeUndefined();
  expect(await adapters.events.appendText(task, { ...run, step: 1, attempt: 1 }, 'zombie')).toBe(false);
  expect(await adapters.events.appendText(task, next, 'alive')).toBe(true);
  expect((await events()).slice(-3)).toEqual(['task.resumed', 'model.started', 'text.delta']);
});

test('a task that was ended before its workflow began is left alone by it', async () => {
  const { id } = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: 'Why?' } }, {});
  const other = { ...task, taskId: id };
  await adapters.tasks.close(other, undefined, { status: 'cancelled', reason: 'early' });
  await expect(adapters.tasks.start(other, run, 'x')).rejects.toMatchObject({ code: 'superseded' });
  await adapters.tasks.close(other, run, { status: 'failed', code: 'superseded', message: 'x' });
  expect(await adapters.tasks.get(scope, id)).toMatchObject({ status: 'cancelled' });
});

test('attempts are counted by what went wrong, and a step costs what all its attempts cost', async () => {
  const failed = (attempt: number, code: 'database_unavailable' | 'model_unavailable') => {
    const { parent: _, parts: _parts, stopReason: _stop, result: _result, ...record } = call(attempt, '');
    return adapters.ledger.failModelCall(task, { ...record, code, message: 'm', mayRetry: true });
  };
  expect(await failed(1, 'database_unavailable')).toBe(1);
  expect(await failed(2, 'database_unavailable')).toBe(2);
  expect(await failed(3, 'model_unavailable')).toBe(1);
  const turn = await adapters.ledger.settleModelCall(task, call(4, 'at last'));
  expect(turn.usage).toMatchObject({ inputTokens: 40, outputTokens: 20 });
  expect(turn.usage.costUsd).toBeCloseTo(0.04);
  // Its answer was stored and only the news of that got lost: it is not charged again.
  await failed(4, 'database_unavailable');
  expect((await adapters.tasks.get(scope, task.taskId))?.usage.modelCalls).toBe(4);
});

test('an answer with what Postgres cannot hold is stored without it', async () => {
  await begin(1);
  const turn = await adapters.ledger.settleModelCall(task, call(1, 'a\u0000b\ud83d'));
  if (turn.next !== 'answer') throw new Error('no answer');
  await adapters.tasks.complete(task, run, turn.result);
  expect((await adapters.tasks.get(scope, task.taskId))?.result?.text).toBe('ab\ufffd');
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
