import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAnthropicProvider } from '../../activities/adapters/models/anthropic.ts';
import type { Message, ModelEvent, ModelRequest } from '../../activities/ports.ts';
import { startFakeAnthropic } from '../support/fake-anthropic.ts';

let fake: Awaited<ReturnType<typeof startFakeAnthropic>>;
beforeAll(async () => void (fake = await startFakeAnthropic('right')));
afterAll(() => fake?.close());

const request = (messages: Message[] = [{ role: 'user', text: 'Hello' }]): ModelRequest => ({
  model: 'claude-sonnet-5-5',
  instructions: 'Be brief.',
  messages,
  tools: [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object', properties: {} } }],
  maxOutputTokens: 100,
  idempotencyKey: 'task/1',
});

async function stream(apiKey = 'right', asked = request(), signal = new AbortController().signal) {
  const events: ModelEvent[] = [];
  for await (const event of createAnthropicProvider({ apiKey, baseUrl: fake.url }).stream(asked, signal))
    events.push(event);
  return events;
}

describe('the anthropic provider', () => {
  test('streams text and reports usage with cached tokens', async () => {
    fake.script({
      blocks: [{ type: 'text', pieces: ['Hel', 'lo.'] }],
      usage: { cache_read_input_tokens: 30, cache_creation_input_tokens: 4 },
    });
    const events = await stream();
    expect(events.flatMap((event) => (event.type === 'text' ? [event.text] : []))).toEqual(['Hel', 'lo.']);
    expect(events.at(-2)).toEqual({
      type: 'usage',
      usage: { inputTokens: 12, cacheReadTokens: 30, cacheWriteTokens: 4, outputTokens: 7 },
    });
    expect(events.at(-1)).toEqual({ type: 'end', parts: [{ type: 'text', text: 'Hello.' }], stopReason: 'end' });
  });

  test('gives thinking and tool calls back exactly as they came, with the results beside them', async () => {
    fake.script({
      blocks: [
        { type: 'thinking', signature: 'sig', pieces: ['Let me ', 'look.'] },
        { type: 'tool_use', id: 'toolu_1', name: 'look', pieces: ['{"at"', ':1}'] },
        { type: 'tool_use', id: 'toolu_2', name: 'look', pieces: [''] },
      ],
      stopReason: 'tool_use',
    });
    const end = (await stream()).at(-1);
    if (end?.type !== 'end') throw new Error('no end');
    expect(end).toMatchObject({
      stopReason: 'tools',
      parts: [{ type: 'opaque' }, { callId: 'toolu_1', arguments: { at: 1 } }, { callId: 'toolu_2', arguments: {} }],
    });

    fake.script({ blocks: [{ type: 'text', pieces: ['Seen.'] }] });
    const results = ['toolu_1', 'toolu_2'].map((callId) => ({
      callId,
      tool: 'look',
      output: { seen: true },
      isError: false,
    }));
    await stream(
      'right',
      request([
        { role: 'user', text: 'Hello' },
        { role: 'assistant', parts: end.parts },
        { role: 'tool', results },
      ]),
    );
    expect(fake.requests.at(-1)?.messages?.[1]?.content[0]).toEqual({
      type: 'thinking',
      thinking: 'Let me look.',
      signature: 'sig',
    });
  });

  test.each([
    [
      { status: 429, type: 'rate_limit_error', message: 'slow down', headers: { 'retry-after': '7' } },
      'model_rate_limited',
      7_000,
    ],
    [
      { status: 429, type: 'rate_limit_error', message: 'slow down', headers: { 'retry-after-ms': '250' } },
      'model_rate_limited',
      250,
    ],
    [{ status: 529, type: 'overloaded_error', message: 'overloaded' }, 'model_unavailable', undefined],
    [{ status: 500, type: 'api_error', message: 'oops' }, 'model_unavailable', undefined],
    [{ status: 404, type: 'not_found_error', message: 'model: x' }, 'model_rejected', undefined],
    [
      { status: 400, type: 'invalid_request_error', message: 'prompt is too long: 1000001 tokens > 1000000 maximum' },
      'model_context_overflow',
      undefined,
    ],
  ])('%j becomes %s', async (refuse, code, retryAfterMs) => {
    fake.script({ refuse });
    await expect(stream()).rejects.toMatchObject({ code, retryAfterMs });
    // Temporal retries, the SDK does not.
    expect(fake.requests).not.toHaveLength(0);
  });

  test('a wrong key is said without showing it', async () => {
    fake.script({});
    await expect(stream('sk-secret-wrong')).rejects.toMatchObject({
      code: 'model_auth',
      message: expect.not.stringContaining('sk-secret'),
    });
  });

  test.each([
    ['cut in the middle', { blocks: [{ type: 'text', pieces: ['a', 'b', 'c'] }], cutAfter: 4 }],
    [
      'ended by an error event',
      { blocks: [{ type: 'text', pieces: ['a'] }], errorEvent: { type: 'overloaded_error', message: 'Overloaded' } },
    ],
  ])('a stream %s is an outage, to be tried again', async (_, turn) => {
    fake.script(turn);
    await expect(stream()).rejects.toMatchObject({ code: 'model_unavailable' });
  });

  test('nobody listening is an outage too', async () => {
    const provider = createAnthropicProvider({ apiKey: 'k', baseUrl: 'http://127.0.0.1:1' });
    await expect(
      provider.stream(request(), new AbortController().signal)[Symbol.asyncIterator]().next(),
    ).rejects.toMatchObject({ code: 'model_unavailable' });
  });

  test.each([
    ['refusal', 'refusal'],
    ['max_tokens', 'max_tokens'],
  ])('stop reason %s is passed on', async (wire, stopReason) => {
    fake.script({ blocks: [{ type: 'text', pieces: ['x'] }], stopReason: wire });
    expect((await stream()).at(-1)).toMatchObject({ stopReason });
  });

  test('prices by kind of token, and refuses a model without a price', () => {
    const provider = createAnthropicProvider({ apiKey: 'k', baseUrl: fake.url });
    const usage = {
      inputTokens: 1_000_000,
      cacheReadTokens: 1_000_000,
      cacheWriteTokens: 1_000_000,
      outputTokens: 1_000_000,
    };
    expect(provider.price('claude-sonnet-5-5', usage)).toBeCloseTo(14.6);
    expect(provider.price('claude-haiku-4-5-20251001', usage)).toBeCloseTo(7.35);
    expect(() => provider.price('gpt-9', usage)).toThrow(/ALFRED_MODEL_PRICE/);
  });
});
