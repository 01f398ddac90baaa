import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import type { ModelRequest } from '../../contract/ports/index.ts';
import { passage } from '../support/documents/passage.ts';
import type { ScriptedTurn } from '../support/providers/scripted-model.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';

// A window of 4,000 tokens, so that a few results fill it.
const models = { 'scripted:test': { contextTokens: 4_000, maxOutputTokens: 500 }, 'scripted:large': {} };

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness({ ALFRED_MODELS: JSON.stringify(models) });
});
afterAll(() => harness?.close());

const words = (n: number, seed: unknown) => Array.from({ length: n }, (_, i) => `word${String(seed)}${i}`).join(' ');
/** An estimate of the tokens that a model would count. */
const usageOf = (request: ModelRequest) => ({ inputTokens: Math.ceil(JSON.stringify(request).length / 4) });
const script = (turn: (request: ModelRequest, call: number) => ScriptedTurn) =>
  harness.script((request, call) => ({ usage: usageOf(request), ...turn(request, call) }));
const runTask = async () => {
  const { id } = await harness.start();
  const events = await harness.followToEnd(id);
  return { events, row: await harness.row(id) };
};
const compactions = (events: { type: string; data: object }[]) =>
  events.filter(({ type }) => type === 'context.compacted').map(({ data }) => data);

test('old tool results are dropped when the window is full, and the model can read them again', async () => {
  harness.tool('look', async (input) => ({
    output: { input, text: words(350, JSON.stringify(input).length) },
    summary: 'looked',
  }));
  const requests = script((_, call) =>
    call <= 8 ? { calls: [{ tool: 'look', arguments: { at: call } }] } : { text: ['Done.'] },
  );
  const { events, row } = await runTask();
  expect(row.status).toBe('completed');
  expect(compactions(events)[0]).toMatchObject({ method: 'drop_tool_results' });
  const last = requests.at(-1);
  expect(JSON.stringify(last?.messages)).toContain('read_result');
  expect(last?.messages.some((message) => message.role === 'user' && message.text === 'What?')).toBe(true);
  for (const { messages } of requests) expect(JSON.stringify(messages).length / 4).toBeLessThan(4_500);
});

test('an answer can cite a dropped passage, and the whole conversation is not loaded for that', async () => {
  harness.tool('look', async (input) => {
    const { at } = input as { at: number };
    return { output: { passages: [passage(`chunk-${at}`, words(250, at))] }, summary: 'looked' };
  });
  const requests = script((_, call) =>
    call <= 12 ? { calls: [{ tool: 'look', arguments: { at: call } }] } : { text: ['So it was said at first [1].'] },
  );
  const loadAll = jest.spyOn(harness.messageStore, 'loadAll');
  const { events, row } = await runTask();
  expect(compactions(events).length).toBeGreaterThan(1);
  expect(JSON.stringify(requests.at(-1)?.messages)).not.toContain(words(10, 1));
  expect(row.result?.citations).toMatchObject([{ n: 1, chunkId: 'chunk-1' }]);
  expect(loadAll).not.toHaveBeenCalled();
  loadAll.mockRestore();
});

test('a summary by the model replaces what no longer fits; it is paid once and never streamed as an answer', async () => {
  harness.tool('look', async (input) => ({ output: { input }, summary: 'looked' }));
  let summaries = 0;
  const requests = script(({ instructions, messages }) => {
    if (instructions.startsWith('You shorten')) return { text: [`Summary ${++summaries} of it all.`] };
    const turns = messages.filter(({ role }) => role === 'assistant').length;
    return requests.length < 12
      ? { text: [words(250, turns)], calls: [{ tool: 'look', arguments: { at: requests.length } }] }
      : { text: ['Done.'] };
  });
  const { events, row } = await runTask();
  expect(row.status).toBe('completed');
  expect(summaries).toBeGreaterThan(0);
  expect(compactions(events).some((data) => 'method' in data && data.method === 'summary')).toBe(true);
  expect(JSON.stringify(requests.at(-1)?.messages)).toContain(`Summary ${summaries} of it all.`);
  expect(events.filter((event) => event.type === 'model.completed' && event.data.purpose === 'summary')).toHaveLength(
    summaries,
  );
  expect(events.some((event) => event.type === 'text.delta' && event.data.text.includes('Summary'))).toBe(false);
  expect(row.usage.modelCalls).toBe(requests.length);
});

test.each([
  ['a summary that was cut at its output limit is used as it is', ['The half of it'], 'The half of it'],
  ['without any summary, a model that reasoned until its output limit, older messages go', [], 'no summary of them'],
])('%s', async (_, text, expected) => {
  harness.tool('look', async (input) => ({ output: { input }, summary: 'looked' }));
  const requests = script(({ instructions, messages }) => {
    if (instructions.startsWith('You shorten')) return { text, stopReason: 'max_tokens' };
    const turns = messages.filter(({ role }) => role === 'assistant').length;
    return requests.length < 12
      ? { text: [words(250, turns)], calls: [{ tool: 'look', arguments: { at: requests.length } }] }
      : { text: ['Done.'] };
  });
  const { row } = await runTask();
  expect(row).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
  expect(JSON.stringify(requests.at(-1)?.messages)).toContain(expected);
});

test('a conversation that the provider refuses as too large is shortened and sent again', async () => {
  harness.tool('look', async (input) => ({ output: { input, text: words(60, 1) }, summary: 'looked' }));
  const requests = script(({ messages }) => {
    if (JSON.stringify(messages).length > 3_000) return { error: new AlfredError('model_context_overflow') };
    return requests.length < 9
      ? { calls: [{ tool: 'look', arguments: { at: requests.length } }] }
      : { text: ['Done.'] };
  });
  const { events, row } = await runTask();
  expect(row.status).toBe('completed');
  expect(compactions(events).length).toBeGreaterThan(0);
});
