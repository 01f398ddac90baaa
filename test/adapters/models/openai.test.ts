import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import { openAiParameters } from '../../../adapters/models/openai-request.ts';
import type { ModelRequest } from '../../../contract/ports/index.ts';
import {
  completeResponse,
  callsIn,
  collectResponse,
  lookTool,
  requestOf,
} from '../../support/providers/collect-response.ts';
import { startFakeOpenAi, type OpenAiTurn, type Quirk } from '../../support/providers/fake-openai.ts';

// What every provider does stands in providers.conformance.test.ts; this is what only Chat Completions has.

let fake: Awaited<ReturnType<typeof startFakeOpenAi>>;
let provider: ReturnType<typeof createOpenAiProvider>;
beforeAll(async () => {
  fake = await startFakeOpenAi(undefined);
  provider = createOpenAiProvider({ baseUrl: fake.url });
});
beforeEach(() => fake.script({ text: ['x'] }));
afterAll(() => fake?.close());

const request = (more: Partial<ModelRequest> = {}) => requestOf({ model: 'small-test', tools: [lookTool], ...more });
const asked = (turn: OpenAiTurn) => {
  fake.script(turn);
  return completeResponse(provider, request());
};
const heard = (turn: OpenAiTurn) => {
  fake.script(turn);
  return collectResponse(provider, request());
};
const sent = () => fake.requests.at(-1) ?? {};

describe('servers that are only compatible', () => {
  const calls = [1, 2].map((at) => ({ id: `c${at}`, name: 'look', pieces: ['{"a', `t": ${at}`, '}'] }));
  const quirks: Quirk[][] = [
    ['no ids'],
    ['no index'],
    ['whole calls'],
    ['interleaved'],
    ['stop for tools'],
    ['usage with the end'],
    ['no ids', 'whole calls'],
    ['no ids', 'no index', 'whole calls'],
    ['no index', 'whole calls', 'stop for tools', 'no usage'],
    ['no ids', 'interleaved', 'stop for tools'],
  ];

  test.each(quirks.map((some) => ({ some })))('two calls come whole: $some', async ({ some }) => {
    const { end } = await asked({ text: ['I look.'], calls, quirks: some });
    expect(end.stopReason).toBe('tools');
    expect(callsIn(end.parts).map((call) => [call.tool, call.arguments, call.malformed])).toEqual([
      ['look', { at: 1 }, undefined],
      ['look', { at: 2 }, undefined],
    ]);
    const ids = callsIn(end.parts).map(({ callId }) => callId);
    expect(new Set(ids).size).toBe(2);
    if (!some.includes('no ids')) expect(ids).toEqual(['c1', 'c2']);
  });

  test('ids that a server leaves out are the same at every attempt', async () => {
    const turn: OpenAiTurn = { calls, quirks: ['no ids'] };
    expect((await asked(turn)).end).toEqual((await asked(turn)).end);
  });

  test('tokens that nobody counts are estimated, of the prompt and of all that came', async () => {
    const { usage } = await asked({ text: ['twelve chars'], reasoning: ['8 chars.'], quirks: ['no usage'] });
    expect(usage).toMatchObject({ cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 5 });
    expect(usage.inputTokens).toBeGreaterThan(10);
  });

  test('reasoning beside the text is not part of the answer', async () => {
    const { text, end } = await asked({ reasoning: ['Hm, ', 'well.'], text: ['Yes.'] });
    expect(text).toBe('Yes.');
    expect(end.parts).toEqual([{ type: 'text', text: 'Yes.' }]);
  });

  test('no key is needed', async () => {
    expect((await asked({ text: ['Yes.'] })).text).toBe('Yes.');
  });
});

test('words of a refusal are a refusal and not an answer', async () => {
  const { end, text } = await asked({ refusal: ['I cannot ', 'do that.'] });
  expect(end.stopReason).toBe('refusal');
  expect(text).toBe('');
});

describe('refusals that say more than their status', () => {
  test.each<[NonNullable<OpenAiTurn['errorResponse']>, string]>([
    [{ status: 400, code: 'context_length_exceeded', message: 'too much' }, 'model_context_overflow'],
    [
      {
        status: 400,
        type: 'BadRequestError',
        code: 400,
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      },
      'model_context_overflow',
    ],
    [
      {
        status: 400,
        type: 'exceed_context_size_error',
        code: 400,
        message: 'the request exceeds the available context size, try increasing it',
      },
      'model_context_overflow',
    ],
    [
      { status: 429, type: 'tokens', code: 'rate_limit_exceeded', message: 'Request too large for gpt-test' },
      'model_context_overflow',
    ],
    [{ status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: 'pay' }, 'model_auth'],
    [{ status: 404, code: 'model_not_found', message: 'The model `x` does not exist.' }, 'model_rejected'],
  ])('%j becomes %s', async (refuse, code) => {
    expect((await heard({ errorResponse: refuse })).error).toMatchObject({ code });
  });

  test.each([
    [{ message: 'overloaded', code: 503 }, 'model_unavailable'],
    [{ message: 'slow down', code: 429 }, 'model_rate_limited'],
    [{ message: 'the input is too long', type: 'BadRequestError', code: 400 }, 'model_context_overflow'],
  ])('inside the stream: %j becomes %s', async (errorChunk, code) => {
    expect((await heard({ text: ['a'], errorChunk })).error).toMatchObject({ code });
  });
});

describe('the dialects', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

  test('OpenAI’s own servers are told the output limit by its new name, others by the one they know', () => {
    expect(openAiParameters(request({ maxOutputTokens: 99 }), true)).toMatchObject({ max_completion_tokens: 99 });
    expect(openAiParameters(request({ maxOutputTokens: 99 }), true)).not.toHaveProperty('max_tokens');
    expect(openAiParameters(request({ maxOutputTokens: 99 }), false)).toMatchObject({ max_tokens: 99 });
    expect(openAiParameters(request({ maxOutputTokens: 99 }), false)).not.toHaveProperty('max_completion_tokens');
  });

  test('a schema is enforced, strictly where it can be', async () => {
    await completeResponse(provider, request({ tools: [], outputSchema: schema }));
    expect(sent().response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', strict: true, schema: { ...schema, additionalProperties: false } },
    });
    fake.script({ text: ['x'] });
    await completeResponse(provider, request({ tools: [], outputSchema: { ...schema, required: [] } }));
    expect(sent().response_format?.json_schema?.strict).toBe(false);
  });

  test('beside tools other servers are told the schema in words, OpenAI’s own enforce it', async () => {
    await completeResponse(provider, request({ outputSchema: schema }));
    expect(sent().response_format).toBeUndefined();
    expect(sent().messages?.[0]?.content).toContain(JSON.stringify(schema));
    expect(openAiParameters(request({ outputSchema: schema }), true).response_format).toMatchObject({
      type: 'json_schema',
    });
  });
});
