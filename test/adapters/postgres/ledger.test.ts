import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { MessageHead, TaskRef } from '../../../contract/references.ts';
import {
  answered,
  createLedgerBench,
  failed,
  local,
  opening,
  run,
  type LedgerBench,
} from '../../support/ledger/ledger-harness.ts';

let bench: LedgerBench;
let task: TaskRef;
let head: MessageHead;

beforeAll(async () => {
  bench = await createLedgerBench();
});
beforeEach(async () => {
  ({ task, head } = await bench.newTask());
});
afterAll(async () => {
  await bench?.close();
});

/** Opens an attempt that must not have been paid before. */
async function begin(attempt: number, changes: Parameters<typeof opening>[0] = {}) {
  const call = opening({ attempt, ...changes });
  expect(await bench.ledger.beginModelCall(task, call)).toBeUndefined();
  return call;
}

test('an attempt after one that stored its answer and died returns that answer: one row, one charge', async () => {
  const first = await begin(1);
  const stored = await bench.ledger.settleModelCall(task, answered(first, head, 'answer'));
  const before = await bench.eventTypes(task);
  // The worker dies here: nobody was told that the activity has completed.
  expect(await bench.ledger.beginModelCall(task, opening({ attempt: 2 }))).toEqual(stored);
  expect(await bench.ledger.findPaidCall(task, 1, 'turn')).toEqual(stored);
  expect(await bench.eventTypes(task)).toEqual(before);
  expect(await bench.rowsOf(task)).toMatchObject([{ outcome: 'completed', tokens: 15, cost_usd: 0.01 }]);
  expect(await bench.usageOf(task)).toMatchObject({ modelCalls: 1, inputTokens: 10, outputTokens: 5, costUsd: 0.01 });
});

test('an answer that is stored twice, because the first time was not confirmed, is charged once', async () => {
  const answer = answered(await begin(1), head, 'answer');
  const turns = await Promise.all([1, 2, 3].map(() => bench.ledger.settleModelCall(task, answer)));
  expect(turns[1]).toEqual(turns[0]);
  expect(turns[2]).toEqual(turns[0]);
  expect(await bench.outcomesOf(task)).toEqual(['completed']);
  expect((await bench.eventTypes(task)).filter((type) => type === 'model.completed')).toHaveLength(1);
  expect(await bench.usageOf(task)).toMatchObject({ modelCalls: 1, costUsd: 0.01 });
});

test('of ten attempts that settle the same step at once one counts and the others are waste', async () => {
  const calls = await Promise.all(Array.from({ length: 10 }, (_, i) => begin(i + 1)));
  const turns = await Promise.all(
    calls.map((call, i) => bench.ledger.settleModelCall(task, answered(call, head, `answer ${i}`))),
  );
  expect(new Set(turns.map(({ turn }) => turn.head)).size).toBe(1);
  expect((await bench.eventTypes(task)).filter((type) => type === 'model.completed')).toHaveLength(1);
  expect((await bench.outcomesOf(task)).sort()).toEqual(['completed', ...Array.from({ length: 9 }, () => 'wasted')]);
  // Waste is money too.
  expect(await bench.usageOf(task)).toMatchObject({ modelCalls: 10, inputTokens: 100, costUsd: 0.1 });
});

test('of two attempts at once the first answer wins, whichever began first, and the other is waste', async () => {
  const [older, newer] = [await begin(1), await begin(2)];
  const won = await bench.ledger.settleModelCall(task, answered(newer, head, 'newer'));
  expect(await bench.ledger.settleModelCall(task, answered(older, head, 'older'))).toMatchObject({
    turn: { head: won.turn.head, usage: { inputTokens: 20, costUsd: 0.02 } },
  });
  expect(await bench.outcomesOf(task)).toEqual(['wasted', 'completed']);
});

test('an attempt that was overtaken may not stream any more, nor may an ended task', async () => {
  await begin(1);
  const stream = (attempt: number, text: string) => bench.events.appendText(task, { ...run, step: 1, attempt }, text);
  expect(await stream(1, 'a')).toBe(true);
  await begin(2);
  expect(await stream(1, 'late')).toBe(false);
  expect(await stream(2, 'b')).toBe(true);
  await bench.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  expect(await stream(2, 'too late')).toBe(false);
  expect((await bench.eventTypes(task)).at(-1)).toBe('task.cancelled');
});

test('a task ends once, whoever ends it first', async () => {
  const ends = await Promise.all([
    bench.tasks.close(task, run, { status: 'cancelled', reason: 'a' }),
    bench.tasks.close(task, undefined, { status: 'failed', code: 'terminated', message: 'b' }),
    bench.tasks.close(task, run, { status: 'cancelled', reason: 'c' }),
  ]);
  expect(ends.filter(Boolean)).toHaveLength(1);
  const last = (await bench.eventTypes(task)).filter((type) => type === 'task.cancelled' || type === 'task.failed');
  expect(last).toHaveLength(1);
});

test('what ends late says nothing after the end, and is charged all the same', async () => {
  const [late, broken] = [await begin(1), await begin(2)];
  await bench.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  await bench.ledger.settleModelCall(task, answered(late, head, 'late'));
  await bench.ledger.failModelCall(task, failed(broken));
  expect((await bench.eventTypes(task)).at(-1)).toBe('task.cancelled');
  expect(await bench.usageOf(task)).toMatchObject({ modelCalls: 2, costUsd: 0.02 });
  // Nor does anything new begin.
  await expect(bench.ledger.beginModelCall(task, opening({ step: 2 }))).rejects.toMatchObject({ code: 'superseded' });
  expect(await bench.outcomesOf(task)).toEqual(['completed', 'model_unavailable']);
  const followed = [];
  for await (const page of bench.events.follow(local, task.taskId, 0, AbortSignal.timeout(10_000)))
    followed.push(...page);
  expect(followed.at(-1)?.type).toBe('task.cancelled');
});

test('a call of a reset run takes the row over, and the run before it may not stream any more', async () => {
  await begin(1);
  await bench.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'by hand' });
  const next = await begin(1, { runId: 'run-2' });
  expect(await bench.events.appendText(task, { ...run, step: 1, attempt: 1 }, 'zombie')).toBe(false);
  expect(await bench.events.appendText(task, next, 'alive')).toBe(true);
  expect((await bench.eventTypes(task)).slice(-3)).toEqual(['task.resumed', 'model.started', 'text.delta']);
});

test('a step that was paid before the workflow was reset is not paid again', async () => {
  const stored = await bench.ledger.settleModelCall(task, answered(await begin(1), head, 'answer'));
  await bench.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'by hand' });
  expect(await bench.ledger.beginModelCall(task, opening({ runId: 'run-2' }))).toEqual(stored);
  expect(await bench.outcomesOf(task)).toEqual(['completed']);
});

test('a task that was ended before its workflow began is left alone by it', async () => {
  const { id } = await bench.tasks.create(local, { agent: 'knowledge', input: { text: 'Why?' } }, {});
  const other = { ...task, taskId: id };
  await bench.tasks.close(other, undefined, { status: 'cancelled', reason: 'early' });
  await expect(bench.tasks.start(other, run, 'x')).rejects.toMatchObject({ code: 'superseded' });
  await bench.tasks.close(other, run, { status: 'failed', code: 'superseded', message: 'x' });
  expect(await bench.tasks.get(local, id)).toMatchObject({ status: 'cancelled' });
});

test('an answer with what Postgres cannot hold is stored without it', async () => {
  const { turn } = await bench.ledger.settleModelCall(task, answered(await begin(1), head, 'a\u0000b\ud83d'));
  if (turn.next !== 'answer') throw new Error('no answer');
  await bench.tasks.complete(task, run, turn.result);
  expect((await bench.tasks.get(local, task.taskId))?.result?.text).toBe('ab\ufffd');
});

test('an answer that cannot be used goes on as a correction that the model reads next', async () => {
  const call = await begin(1);
  const correction = { because: 'output_invalid', text: 'Answer with JSON.' } as const;
  const answer = answered(call, head, 'no JSON', { result: undefined, correction });
  const { turn } = await bench.ledger.settleModelCall(task, answer);
  expect(turn).toMatchObject({ next: 'again', because: 'output_invalid' });
  const { messages } = await bench.messageStore.load(local, turn.head);
  expect(messages.slice(-2)).toEqual([
    { role: 'assistant', parts: answer.parts },
    { role: 'user', text: 'Answer with JSON.', because: 'output_invalid' },
  ]);
  expect((await bench.eventsOf(task)).slice(-2)).toMatchObject([
    { type: 'model.completed', data: { step: 1 } },
    { type: 'model.corrected', data: { step: 1, reason: 'output_invalid', message: 'Answer with JSON.' } },
  ]);
  expect(await bench.ledger.beginModelCall(task, opening({ attempt: 2 }))).toMatchObject({ turn });
});

test('a turn that calls tools names them, with what tells their arguments apart', async () => {
  const ask = (callId: string, at: number) => ({ type: 'tool_call', callId, tool: 'look', arguments: { at } }) as const;
  const parts = [ask('a', 1), ask('b', 2), ask('c', 1)];
  const answer = answered(await begin(1), head, '', { parts, result: undefined, stopReason: 'tools' });
  const { turn } = await bench.ledger.settleModelCall(task, answer);
  if (turn.next !== 'tools') throw new Error('no tools');
  const [a, b, c] = turn.calls;
  expect(turn.calls).toMatchObject([{ callId: 'a', tool: 'look' }, { callId: 'b' }, { callId: 'c' }]);
  expect(c?.args).toBe(a?.args);
  expect(b?.args).not.toBe(a?.args);
});

test('a summary is paid beside the turn of its step, adds no message and takes the stream from nobody', async () => {
  const turn = await begin(1);
  const summary = await begin(1, { purpose: 'summary' });
  expect(await bench.events.appendText(task, { ...run, step: 1, attempt: 1 }, 'of the turn')).toBe(true);
  const stored = await bench.ledger.settleModelCall(task, answered(summary, head, 'in short'));
  expect(stored).toMatchObject({ text: 'in short', turn: { head, next: 'answer' } });
  expect(await bench.ledger.findPaidCall(task, 1, 'turn')).toBeUndefined();
  expect(await bench.events.appendText(task, { ...run, step: 1, attempt: 1 }, 'still')).toBe(true);
  await bench.ledger.settleModelCall(task, answered(turn, head, 'at length'));
  expect(await bench.ledger.beginModelCall(task, opening({ purpose: 'summary', attempt: 2 }))).toEqual(stored);
  expect(await bench.ledger.findPaidCall(task, 1, 'turn')).toMatchObject({ turn: { usage: { inputTokens: 10 } } });
  const purposes = (await bench.eventsOf(task)).filter(({ data }) => 'purpose' in data).map(({ type }) => type);
  expect(purposes).toEqual(['model.started', 'model.completed']);
  expect(await bench.usageOf(task)).toMatchObject({ modelCalls: 2, costUsd: 0.02 });
});

test('another subject or tenant sees neither the task nor its events nor what was paid', async () => {
  await bench.ledger.settleModelCall(task, answered(await begin(1), head, 'answer'));
  for (const other of [
    { tenant: 'other', subject: 'local' },
    { tenant: 'local', subject: 'other' },
  ]) {
    expect(await bench.tasks.get(other, task.taskId)).toBeUndefined();
    expect(await bench.events.read(other, task.taskId, 0, 10)).toEqual([]);
    expect((await bench.tasks.list(other, { limit: 10 })).tasks).toEqual([]);
    expect(await bench.ledger.findPaidCall({ ...task, ...other }, 1, 'turn')).toBeUndefined();
    await expect(bench.messageStore.load(other, head)).rejects.toThrow();
  }
});
