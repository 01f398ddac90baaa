import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { OpenModelCall } from '../../../contract/ports/index.ts';
import type { MessageHead, TaskRef } from '../../../contract/references.ts';
import {
  completedCall,
  createLedgerHarness,
  failedCall,
  local,
  openCall,
  run,
  type LedgerHarness,
} from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
let task: TaskRef;
let head: MessageHead;

beforeAll(async () => {
  harness = await createLedgerHarness();
});
beforeEach(async () => {
  ({ task, head } = await harness.newTask());
});
afterAll(async () => {
  await harness?.close();
});

const begin = (attempt: number, changes: Parameters<typeof openCall>[0] = {}) =>
  harness.begin(task, { attempt, ...changes });

test('an attempt after one that stored its response and died returns that response: one row, one charge', async () => {
  const first = await begin(1);
  const stored = await harness.ledger.settleModelCall(task, completedCall(first, head, 'answer'));
  const before = await harness.eventTypes(task);
  // The worker dies here: Temporal does not learn that the activity has completed.
  expect(await harness.ledger.beginModelCall(task, openCall({ attempt: 2 }))).toEqual(stored);
  expect(await harness.ledger.findPaidCall(task, 1, 'turn')).toEqual(stored);
  expect(await harness.eventTypes(task)).toEqual(before);
  expect(await harness.rowsOf(task)).toMatchObject([{ outcome: 'completed', tokens: 15, cost_usd: 0.01 }]);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 1, inputTokens: 10, outputTokens: 5, costUsd: 0.01 });
});

test('the response is returned as it is read later, with the usage of lost attempts', async () => {
  const { ledger } = harness;
  const lost = await begin(1);
  const call = await begin(2, { replaces: [lost.callId] });
  const toolCall = {
    type: 'tool_call' as const,
    callId: 'c\u00001',
    tool: 'search',
    arguments: { query: 'q', a: 1.0 },
  };
  const completed = { ...completedCall(call, head, ''), parts: [toolCall], result: undefined };
  const turn = await ledger.settleModelCall(task, completed);
  expect(turn).toMatchObject({ turn: { next: 'tools', usage: { inputTokens: 110, costUsd: 0.11 } } });
  expect(turn).toEqual(await ledger.findPaidCall(task, 1, 'turn'));

  const correction = { because: 'citation_unknown' as const, text: 'Again.' };
  const corrected = { ...completedCall(await begin(1, { step: 2 }), head, 'no'), result: undefined, correction };
  expect(await ledger.settleModelCall(task, corrected)).toEqual(await ledger.findPaidCall(task, 2, 'turn'));

  const summary = completedCall(await begin(1, { step: 3, purpose: 'summary' }), head, 'short\ud800');
  expect(await ledger.settleModelCall(task, summary)).toEqual(await ledger.findPaidCall(task, 3, 'summary'));
});

test('a response that is stored twice, because the first time was not confirmed, is charged once', async () => {
  const answer = completedCall(await begin(1), head, 'answer');
  const turns = await Promise.all([1, 2, 3].map(() => harness.ledger.settleModelCall(task, answer)));
  expect(turns[1]).toEqual(turns[0]);
  expect(turns[2]).toEqual(turns[0]);
  expect(await harness.outcomesOf(task)).toEqual(['completed']);
  expect((await harness.eventTypes(task)).filter((type) => type === 'model.completed')).toHaveLength(1);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 1, costUsd: 0.01 });
});

test('of ten attempts that settle the same step concurrently one counts and the others are waste', async () => {
  const calls: OpenModelCall[] = [];
  while (calls.length < 10) calls.push(await begin(calls.length + 1));
  const turns = await Promise.all(
    calls.map((call, i) => harness.ledger.settleModelCall(task, completedCall(call, head, `answer ${i}`))),
  );
  expect(new Set(turns.map(({ turn }) => turn.head)).size).toBe(1);
  expect((await harness.eventTypes(task)).filter((type) => type === 'model.completed')).toHaveLength(1);
  expect((await harness.outcomesOf(task)).sort()).toEqual(['completed', ...Array.from({ length: 9 }, () => 'wasted')]);
  // Wasted attempts cost money too.
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 10, inputTokens: 100, costUsd: 0.1 });
});

test('of two concurrent attempts the first to answer wins, not the first to begin, and the other is waste', async () => {
  const [older, newer] = [await begin(1), await begin(2)];
  const won = await harness.ledger.settleModelCall(task, completedCall(newer, head, 'newer'));
  expect(await harness.ledger.settleModelCall(task, completedCall(older, head, 'older'))).toMatchObject({
    turn: { head: won.turn.head, usage: { inputTokens: 20, costUsd: 0.02 } },
  });
  expect(await harness.outcomesOf(task)).toEqual(['wasted', 'completed']);
});

test('neither an attempt that a newer one replaced nor an ended task may stream', async () => {
  const first = await begin(1);
  expect(await harness.events.appendText(task, first, 'a')).toBe(true);
  // After a wait of the task its attempts are numbered from 1 again.
  const second = await begin(1);
  expect(await harness.events.appendText(task, first, 'late')).toBe(false);
  expect(await harness.events.completeText(task, first, 'a late')).toBe(false);
  expect(await harness.events.appendText(task, second, 'b')).toBe(true);
  await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  expect(await harness.events.appendText(task, second, 'too late')).toBe(false);
  expect((await harness.eventTypes(task)).at(-1)).toBe('task.cancelled');
});

test('a task ends once', async () => {
  const ends = await Promise.all([
    harness.tasks.close(task, run, { status: 'cancelled', reason: 'a' }),
    harness.tasks.close(task, undefined, { status: 'failed', code: 'terminated', message: 'b' }),
    harness.tasks.close(task, run, { status: 'cancelled', reason: 'c' }),
  ]);
  expect(ends.filter(Boolean)).toHaveLength(1);
  const last = (await harness.eventTypes(task)).filter((type) => type === 'task.cancelled' || type === 'task.failed');
  expect(last).toHaveLength(1);
});

test('a call that ends after its task appends no event and is charged', async () => {
  const [late, broken] = [await begin(1), await begin(2)];
  await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  await harness.ledger.settleModelCall(task, completedCall(late, head, 'late'));
  await harness.ledger.failModelCall(task, failedCall(broken));
  expect((await harness.eventTypes(task)).at(-1)).toBe('task.cancelled');
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 2, costUsd: 0.02 });
  // A new call does not begin.
  await expect(harness.ledger.beginModelCall(task, openCall({ step: 2 }))).rejects.toMatchObject({
    code: 'superseded',
  });
  expect(await harness.outcomesOf(task)).toEqual(['completed', 'model_unavailable']);
  const followed = [];
  for await (const page of harness.events.follow(local, task.taskId, 0, AbortSignal.timeout(10_000)))
    followed.push(...page);
  expect(followed.at(-1)?.type).toBe('task.cancelled');
});

test('a call of a reset run takes the row over, and the earlier run may not stream any more', async () => {
  const zombie = await begin(1);
  await harness.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'by hand' });
  const next = await begin(1, { runId: 'run-2' });
  expect(await harness.events.appendText(task, zombie, 'zombie')).toBe(false);
  expect(await harness.events.appendText(task, next, 'alive')).toBe(true);
  expect((await harness.eventTypes(task)).slice(-3)).toEqual(['task.resumed', 'model.started', 'text.delta']);
});

test('a step that was paid before the workflow was reset is not paid again', async () => {
  const stored = await harness.ledger.settleModelCall(task, completedCall(await begin(1), head, 'answer'));
  await harness.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'by hand' });
  expect(await harness.ledger.beginModelCall(task, openCall({ runId: 'run-2' }))).toEqual(stored);
  expect(await harness.outcomesOf(task)).toEqual(['completed']);
});

test('a workflow leaves a task alone that was ended before it began', async () => {
  const { id } = await harness.tasks.create(local, { agent: 'knowledge', input: { text: 'Why?' } }, {});
  const other = { ...task, taskId: id };
  await harness.tasks.close(other, undefined, { status: 'cancelled', reason: 'early' });
  await expect(harness.tasks.start(other, run, { model: 'x' })).rejects.toMatchObject({ code: 'superseded' });
  await harness.tasks.close(other, run, { status: 'failed', code: 'superseded', message: 'x' });
  expect(await harness.tasks.get(local, id)).toMatchObject({ status: 'cancelled' });
});

test('an answer is stored without the characters that Postgres refuses', async () => {
  const { turn } = await harness.ledger.settleModelCall(task, completedCall(await begin(1), head, 'a\u0000b\ud83d'));
  if (turn.next !== 'answer') throw new Error('no answer');
  await harness.tasks.complete(task, run, turn.result);
  expect((await harness.tasks.get(local, task.taskId))?.result?.text).toBe('ab\ufffd');
});

test('an answer that cannot be used is followed by a correction, which the model reads next', async () => {
  const call = await begin(1);
  const correction = { because: 'output_invalid', text: 'Answer with JSON.' } as const;
  const answer = completedCall(call, head, 'no JSON', { result: undefined, correction });
  const { turn } = await harness.ledger.settleModelCall(task, answer);
  expect(turn).toMatchObject({ next: 'again', because: 'output_invalid' });
  const { messages } = await harness.messageStore.load(local, turn.head);
  expect(messages.slice(-2)).toEqual([
    { role: 'assistant', parts: answer.parts },
    { role: 'user', text: 'Answer with JSON.', because: 'output_invalid' },
  ]);
  expect((await harness.eventsOf(task)).slice(-2)).toMatchObject([
    { type: 'model.completed', data: { step: 1 } },
    { type: 'model.corrected', data: { step: 1, reason: 'output_invalid', message: 'Answer with JSON.' } },
  ]);
  expect(await harness.ledger.beginModelCall(task, openCall({ attempt: 2 }))).toMatchObject({ turn });
});

test('a turn that calls tools names the calls, with fingerprints of their arguments', async () => {
  const toolCall = (callId: string, at: number) =>
    ({ type: 'tool_call', callId, tool: 'look', arguments: { at } }) as const;
  const parts = [toolCall('a', 1), toolCall('b', 2), toolCall('c', 1)];
  const answer = completedCall(await begin(1), head, '', { parts, result: undefined, stopReason: 'tools' });
  const { turn } = await harness.ledger.settleModelCall(task, answer);
  if (turn.next !== 'tools') throw new Error('no tools');
  const [a, b, c] = turn.calls;
  expect(turn.calls).toMatchObject([{ callId: 'a', tool: 'look' }, { callId: 'b' }, { callId: 'c' }]);
  expect(c?.args).toBe(a?.args);
  expect(b?.args).not.toBe(a?.args);
});

test('a summary is paid beside the turn of its step, adds no message and does not stop the turn from streaming', async () => {
  const turn = await begin(1);
  const summary = await begin(1, { purpose: 'summary' });
  expect(await harness.events.appendText(task, turn, 'of the turn')).toBe(true);
  const stored = await harness.ledger.settleModelCall(task, completedCall(summary, head, 'in short'));
  expect(stored).toMatchObject({ text: 'in short', turn: { head, next: 'answer' } });
  expect(await harness.ledger.findPaidCall(task, 1, 'turn')).toBeUndefined();
  expect(await harness.events.appendText(task, turn, 'still')).toBe(true);
  await harness.ledger.settleModelCall(task, completedCall(turn, head, 'at length'));
  expect(await harness.ledger.beginModelCall(task, openCall({ purpose: 'summary', attempt: 2 }))).toEqual(stored);
  expect(await harness.ledger.findPaidCall(task, 1, 'turn')).toMatchObject({ turn: { usage: { inputTokens: 10 } } });
  const purposes = (await harness.eventsOf(task)).filter(({ data }) => 'purpose' in data).map(({ type }) => type);
  expect(purposes).toEqual(['model.started', 'model.completed']);
  expect(await harness.usageOf(task)).toMatchObject({ modelCalls: 2, costUsd: 0.02 });
});

test('another subject or tenant sees neither the task nor its events nor what was paid', async () => {
  await harness.ledger.settleModelCall(task, completedCall(await begin(1), head, 'answer'));
  for (const other of [
    { tenant: 'other', subject: 'local' },
    { tenant: 'local', subject: 'other' },
  ]) {
    expect(await harness.tasks.get(other, task.taskId)).toBeUndefined();
    expect(await harness.events.read(other, task.taskId, 0, 10)).toEqual([]);
    expect((await harness.tasks.list(other, { limit: 10 })).tasks).toEqual([]);
    expect(await harness.ledger.findPaidCall({ ...task, ...other }, 1, 'turn')).toBeUndefined();
    await expect(harness.messageStore.load(other, head)).rejects.toThrow();
  }
});

test('daily sums agree with the ledger, whatever becomes of a call, also for calls from before there were sums', async () => {
  const { pool, ledger } = harness;
  const today = new Date().toISOString().slice(0, 10);
  const sums = async () => {
    const { rows } = await ledger.reportUsage({ ...local, of: 'tenant' }, { from: today, to: today, by: ['model'] });
    return rows.map(({ usage, outcomes }) => [usage.modelCalls, usage.inputTokens, usage.costUsd, outcomes]);
  };
  const ledgerSums = async () => {
    const { rows } = await pool.query<{ n: number; input: number; usd: number; outcomes: Record<string, number> }>(
      `select sum(n)::int as n, sum(input) as input, sum(usd) as usd, jsonb_object_agg(outcome, n) as outcomes from (
         select outcome, count(*) as n, sum(input_tokens) as input, sum(cost_usd) as usd from model_calls
         where tenant = 'local' and outcome <> 'open' group by outcome) o`,
    );
    return rows.map(({ n, input, usd, outcomes }) => [n, input, usd, outcomes]);
  };
  const lost = await begin(1);
  await harness.ledger.settleModelCall(task, completedCall(await begin(2), head, 'answer'));
  expect(await sums()).toEqual(await ledgerSums());
  // The lost attempt is heard of after all.
  await harness.ledger.failModelCall(task, failedCall(lost));
  expect(await sums()).toEqual(await ledgerSums());

  // As a migrated ledger is.
  await pool.query('truncate usage_days');
  await pool.query('alter table model_calls disable trigger user');
  await pool.query('update model_calls set is_counted = false');
  await pool.query('alter table model_calls enable trigger user');
  expect(await sums()).toEqual(await ledgerSums());
  expect(await ledger.countUsage(2)).toBe(2);
  expect(await sums()).toEqual(await ledgerSums());
  while ((await ledger.countUsage(1_000)) > 0);
  expect(await sums()).toEqual(await ledgerSums());
  expect((await pool.query(`select from model_calls where not is_counted and outcome <> 'open'`)).rows).toEqual([]);
});

test('streamed text of which it is unknown how much is stored is completed without a gap and without a repeat', async () => {
  const source = await begin(1);
  await harness.events.appendText(task, source, 'Stored, \ud83d');
  const whole = 'Stored, \ud83d\u0000\ude00 and lost.';
  // The connection may have broken before or after the piece was stored: both end in the same text.
  const completed = await Promise.all([1, 2, 3].map(() => harness.events.completeText(task, source, whole)));
  expect(completed).toEqual([true, true, true]);
  const streamed = (await harness.eventsOf(task)).flatMap((event) =>
    event.type === 'text.delta' ? [event.data.text] : [],
  );
  expect(streamed).toEqual(['Stored, \ufffd', '\ufffd and lost.']);

  const next = await begin(2);
  expect(await harness.events.completeText(task, source, `${whole} Late.`)).toBe(false);
  // What an earlier attempt has streamed is not a part of this one's text.
  expect(await harness.events.completeText(task, next, 'Whole.')).toBe(true);
  expect((await harness.eventsOf(task)).at(-1)).toMatchObject({ data: { attempt: 2, text: 'Whole.' } });
});

test('what one model denies does not count for its fallback', async () => {
  const denied = { code: 'model_denied', message: 'The provider answered 403.' } as const;
  const first = await begin(1);
  expect(await harness.ledger.failModelCall(task, failedCall(first, denied))).toBe(1);
  const fallback = await begin(2, { model: 'fallback' });
  expect(await harness.ledger.failModelCall(task, failedCall(fallback, denied))).toBe(1);
  const step = { step: 1, purpose: 'turn' } as const;
  expect(await harness.ledger.countFailures(task, { ...step, of: 'scripted:fallback' }, 'model_denied')).toBe(1);
  expect(await harness.ledger.countFailures(task, step, 'model_denied')).toBe(2);
});
