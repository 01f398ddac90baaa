import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createAnthropicProvider } from '../../../adapters/models/anthropic.ts';
import type { Message, ModelRequest } from '../../../contract/ports/index.ts';
import {
  completeResponse,
  callsIn,
  collectResponse,
  inspectTool,
  requestOf,
} from '../../support/providers/collect-response.ts';
import { startFakeAnthropic } from '../../support/providers/fake-anthropic.ts';
import type { Block } from '../../support/providers/fake-anthropic-faults.ts';

// What all providers have in common is tested in providers.conformance.test.ts. These tests are for Anthropic's
// protocol.

let fake: Awaited<ReturnType<typeof startFakeAnthropic>>;
let provider: ReturnType<typeof createAnthropicProvider>;
beforeAll(async () => {
  fake = await startFakeAnthropic('right');
  provider = createAnthropicProvider({ apiKey: 'right', baseUrl: fake.url });
});
beforeEach(() => fake.script({ blocks: [{ type: 'text', pieces: ['x'] }] }));
afterAll(() => fake?.close());

const request = (more: Partial<ModelRequest> = {}) =>
  requestOf({ model: 'claude-test', tools: [inspectTool], ...more });
const sent = () => fake.requests.at(-1) ?? {};
const blocksSent = () => (sent().messages ?? []).map(({ content }) => content as Block[]);

test('thinking is sent back unchanged, together with the calls and results', async () => {
  const thinking = ['Let me ', 'look at 京.'];
  fake.script({
    blocks: [
      { type: 'thinking', signature: 'sig-1', pieces: thinking },
      { type: 'redacted_thinking', data: 'c2VjcmV0' },
      { type: 'text', pieces: ['I look.'] },
      { type: 'tool_use', id: 'toolu_1', name: 'look', pieces: ['{"at":1}'] },
      { type: 'tool_use', id: 'toolu_2', name: 'look', pieces: ['{"at":2}'] },
    ],
    stopReason: 'tool_use',
  });
  const { pieces, end } = await completeResponse(provider, request());
  expect(pieces).toEqual(['I look.']);
  const results = callsIn(end.parts).map(({ callId, tool }) => ({ callId, tool, output: 'seen', isError: false }));
  const messages: Message[] = [
    { role: 'user', text: 'Hello' },
    // As the database returns it.
    { role: 'assistant', parts: JSON.parse(JSON.stringify(end.parts)) as typeof end.parts },
    { role: 'tool', results },
  ];
  fake.script({ blocks: [{ type: 'text', pieces: ['Seen.'] }] });
  await completeResponse(provider, request({ messages }));
  expect(blocksSent()[1]).toEqual([
    { type: 'thinking', thinking: thinking.join(''), signature: 'sig-1' },
    { type: 'redacted_thinking', data: 'c2VjcmV0' },
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 1 } },
    { type: 'tool_use', id: 'toolu_2', name: 'look', input: { at: 2 } },
  ]);
});

test('the instructions, the end of the prompt and the end of the previous prompt are cache breakpoints', async () => {
  const turn = (n: number): Message[] => [
    { role: 'user', text: `Question ${n}` },
    { role: 'assistant', parts: [{ type: 'text', text: `Answer ${n}` }] },
  ];
  await completeResponse(
    provider,
    request({ messages: [...turn(1), ...turn(2), ...turn(3), { role: 'user', text: 'Question 4' }] }),
  );
  const marked = blocksSent().flatMap((blocks, i) => (blocks.some((block) => 'cache_control' in block) ? [i] : []));
  expect(marked).toEqual([4, 6]);
  expect((sent().system as Block[]).map((block) => block.cache_control)).toEqual([{ type: 'ephemeral' }]);
});

describe('structured output', () => {
  const properties = {
    city: { type: 'string' },
    size: { type: 'object', properties: { people: { type: 'integer' } } },
  };

  test('the schema is enforced with every object closed', async () => {
    await completeResponse(provider, request({ outputSchema: { type: 'object', properties, required: ['city'] } }));
    expect(sent().output_config?.format).toMatchObject({
      type: 'json_schema',
      schema: {
        type: 'object',
        required: ['city'],
        additionalProperties: false,
        properties: { size: { type: 'object', additionalProperties: false } },
      },
    });
  });

  test('a schema with free keys cannot be enforced and goes into the instructions', async () => {
    const outputSchema = { type: 'object', additionalProperties: { type: 'string' } };
    await completeResponse(provider, request({ outputSchema }));
    expect(sent().output_config).toBeUndefined();
    expect(String((sent().system as Block[])[0]?.text)).toContain(JSON.stringify(outputSchema));
  });
});

describe('responses that end without an answer', () => {
  test.each([
    ['model_context_window_exceeded', 'model_context_overflow'],
    ['pause_turn', 'model_output_limit'],
  ])('%s becomes %s after its tokens were reported', async (stopReason, code) => {
    fake.script({ blocks: [{ type: 'text', pieces: ['x'] }], stopReason });
    const { error, usage, end } = await collectResponse(provider, request());
    expect(error).toMatchObject({ code });
    expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 7 });
    expect(end).toBeUndefined();
  });

  test.each([
    ['overloaded_error', 'model_unavailable'],
    ['rate_limit_error', 'model_rate_limited'],
    ['invalid_request_error', 'model_rejected'],
  ])('an event with %s becomes %s', async (type, code) => {
    fake.script({ blocks: [{ type: 'text', pieces: ['a', 'b'] }], errorEvent: { type, message: 'no' } });
    const { error, pieces } = await collectResponse(provider, request());
    expect(error).toMatchObject({ code });
    expect(pieces).toEqual(['a']);
  });

  test('a prompt that is too long is a context overflow', async () => {
    const message = 'prompt is too long: 1000001 tokens > 1000000 maximum';
    fake.script({ errorResponse: { status: 400, type: 'invalid_request_error', message } });
    expect((await collectResponse(provider, request())).error).toMatchObject({ code: 'model_context_overflow' });
  });
});

test('cache writes are counted, and the counts at the end replace those at the beginning', async () => {
  const usage = { cache_creation_input_tokens: 40, cache_read_input_tokens: 300, output_tokens: 21 };
  fake.script({ blocks: [{ type: 'text', pieces: ['x'] }], usage });
  const { events } = await collectResponse(provider, request());
  const counts = events.flatMap((event) => (event.type === 'usage' ? [event.usage.outputTokens] : []));
  expect(counts[0]).toBe(1);
  expect(events.findLast(({ type }) => type === 'usage')).toMatchObject({
    usage: { inputTokens: 12, cacheReadTokens: 300, cacheWriteTokens: 40, outputTokens: 21 },
  });
});

test('the limits of all tokens are used when there are none for input tokens', async () => {
  const headers = { 'anthropic-ratelimit-tokens-limit': '8000', 'anthropic-ratelimit-tokens-remaining': '7000' };
  fake.script({ blocks: [{ type: 'text', pieces: ['x'] }], headers });
  expect((await collectResponse(provider, request())).limits).toEqual({ tokensPerMinute: 8_000, tokensLeft: 7_000 });
});

test('tokens are counted for the prompt exactly as it is sent, and a failure is mapped to a code', async () => {
  const { signal } = new AbortController();
  await provider.countTokens?.(request(), signal);
  const counted = sent();
  await completeResponse(provider, request());
  const { max_tokens: _, stream: __, ...prompt } = sent();
  expect(counted).toEqual(prompt);
  await expect(provider.countTokens?.(request({ model: 'gone' }), signal)).rejects.toMatchObject({
    code: 'model_auth',
  });
});
