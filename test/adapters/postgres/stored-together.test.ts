import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ToolMessage } from '../../../contract/messages.ts';
import type { MessageHead, TaskRef } from '../../../contract/references.ts';
import {
  completedCall,
  createLedgerHarness,
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
afterAll(() => harness?.close());

const search = { type: 'tool_call' as const, callId: 'c1', tool: 'search_documents', arguments: { query: 'days' } };
/** A step that asked for a search, whose result is stored. @returns the message that the next step begins with */
async function searchedStep(): Promise<{ asked: MessageHead; next: ToolMessage }> {
  const call = await harness.begin(task, { attempt: 1 });
  const { turn } = await harness.ledger.settleModelCall(
    task,
    completedCall(call, head, '', { parts: [search], result: undefined }),
  );
  const key = { callId: 'c1', tool: 'search_documents', step: 1 };
  await harness.ledger.beginToolCall(task, { ...run, ...key, arguments: search.arguments });
  const found = { output: { found: 30 }, summary: '1 passage', isError: false, durationMs: 1, maxCharacters: 100 };
  const result = await harness.ledger.completeToolCall(task, { ...key, ...found });
  return { asked: turn.head, next: { role: 'tool', results: [{ isError: false, ...result }] } };
}
const tail = async (count: number) =>
  (await harness.eventsOf(task)).slice(-count).map(({ type, data }) => ({ type, data }));
const textOf = (call: { step: number; attempt: number }, text: string) => ({
  type: 'text.delta',
  data: { step: call.step, attempt: call.attempt, text },
});

test('a step reads results that are not stored as a message, and the call that begins with them stores it', async () => {
  const { asked, next } = await searchedStep();
  const opened = await harness.messageStore.openStep(task, asked, next);
  expect(opened.conversation.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
  expect(opened.conversation.messages.at(-1)).toMatchObject({ results: [{ output: { found: 30 } }] });
  expect(opened.conversation.counted).toMatchObject({ index: 1 });
  await expect(harness.messageStore.load(task, opened.head)).rejects.toMatchObject({ code: 'internal' });

  // A call that is not begun stores nothing.
  const foreign = openCall({ step: 2, dayLimits: [{ id: `tenant/${task.taskId}`, maxUsd: 0 }] });
  await expect(harness.ledger.beginModelCall(task, { ...foreign, unstored: opened.unstored })).rejects.toMatchObject({
    code: 'budget_exceeded',
  });
  await expect(harness.messageStore.load(task, opened.head)).rejects.toMatchObject({ code: 'internal' });

  expect(
    await harness.ledger.beginModelCall(task, { ...openCall({ step: 2 }), unstored: opened.unstored }),
  ).toBeUndefined();
  expect(await harness.messageStore.load(task, opened.head)).toEqual(opened.conversation);
  // A repeat of the step finds it stored.
  expect(await harness.messageStore.openStep(task, asked, next)).toEqual(opened);
});

test('the end of a text is stored with the response, before it, and readers get each piece once', async () => {
  const call = await harness.begin(task, { attempt: 1 });
  for (const piece of ['Within ', '30 ', 'days'])
    expect(await harness.events.appendText(task, { callId: call.callId, step: 1, attempt: 1 }, piece)).toBe(true);
  await harness.ledger.settleModelCall(
    task,
    completedCall(call, head, 'Within 30 days.', { streamed: { rest: '.', pieces: 3 } }),
  );
  expect(await tail(5)).toMatchObject([
    ...['Within ', '30 ', 'days', '.'].map((piece) => textOf(call, piece)),
    { type: 'model.completed' },
  ]);
});

test('an answer counts also when its call may stream no more; then the end of its text is left out', async () => {
  const call = await harness.begin(task, { attempt: 1 });
  const next = openCall({ attempt: 2, replaces: [call.callId] });
  expect(await harness.ledger.beginModelCall(task, next)).toBeUndefined();
  const { turn } = await harness.ledger.settleModelCall(
    task,
    completedCall(call, head, 'Late.', { streamed: { rest: 'Late.', pieces: 0 } }),
  );
  expect(turn.next).toBe('answer');
  expect((await harness.eventTypes(task)).slice(-2)).toEqual(['model.started', 'model.completed']);
  expect(await harness.rowsOf(task)).toMatchObject([{ outcome: 'completed' }, { outcome: 'open' }]);
});

test('a task ends with its result and its usage, once', async () => {
  const call = await harness.begin(task, { attempt: 1 });
  const { turn } = await harness.ledger.settleModelCall(task, completedCall(call, head, 'In 30 days.'));
  const result = turn.next === 'answer' ? turn.result : '';
  expect(await harness.tasks.isOpen(task, task.taskId)).toBe(true);
  expect(await harness.tasks.isOpen({ ...task, subject: 'another' }, task.taskId)).toBe(false);
  const ended = await harness.tasks.complete(task, run, result);
  expect(await harness.tasks.isOpen(task, task.taskId)).toBe(false);
  expect(ended).toMatchObject({ agent: 'knowledge', status: 'completed', error: null, hasCallback: false });
  expect(Date.parse(ended?.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(ended?.createdAt ?? ''));
  const usage = await harness.usageOf(task);
  expect(await tail(1)).toEqual([
    { type: 'task.completed', data: { result: { text: 'In 30 days.', citations: [] }, usage } },
  ]);
  const row = await harness.tasks.get(task, task.taskId);
  expect(row).toMatchObject({ status: 'completed', result: { text: 'In 30 days.' }, endedAt: expect.any(String) });
  expect(await harness.tasks.complete(task, run, result)).toBeUndefined();
  expect((await harness.eventTypes(task)).filter((type) => type === 'task.completed')).toHaveLength(1);
});
