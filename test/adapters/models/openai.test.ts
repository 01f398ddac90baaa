import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import { openAiParameters } from '../../../adapters/models/openai-request.ts';
import type { ModelRequest } from '../../../contract/ports/index.ts';
import {
  completeResponse,
  callsIn,
  collectResponse,
  inspectTool,
  requestOf,
} from '../../support/providers/collect-response.ts';
import { startFakeOpenAi, type OpenAiTurn, type Quirk } from '../../support/providers/fake-openai.ts';

// What all providers have in common is tested in providers.conformance.test.ts. These tests are for Chat Completions.

let fake: Awaited<ReturnType<typeof startFakeOpenAi>>;
let provider: ReturnType<typeof createOpenAiProvider>;
beforeAll(async () => {
  fake = await startFakeOpenAi(undefined);
  provider = createOpenAiProvider({ baseUrl: fake.url });
});
beforeEach(() => fake.script({ text: ['x'] }));
afterAll(() => fake?.close());

const request = (more: Partial<ModelRequest> = {}) => requestOf({ model: 'small-test', tools: [inspectTool], ...more });
const complete = (turn: OpenAiTurn) => {
  fake.script(turn);
  return completeResponse(provider, request());
};
const collect = (turn: OpenAiTurn) => {
  fake.script(turn);
  return collectResponse(provider, request());
};
const sent = () => fake.requests.at(-1) ?? {};

describe('compatible servers', () => {
  const calls = [1, 2].map((at) => ({ id: `c${at}`, name: 'look', pieces: ['{"a', `t": ${at}`, '}'] }));
  const quirkSets: Quirk[][] = [
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

  test.each(quirkSets.map((quirks) => ({ quirks })))('two calls are assembled: $quirks', async ({ quirks }) => {
    const { end } = await complete({ text: ['I look.'], calls, quirks });
    expect(end.stopReason).toBe('tools');
    expect(callsIn(end.parts).map((call) => [call.tool, call.arguments, call.malformed])).toEqual([
      ['look', { at: 1 }, undefined],
      ['look', { at: 2 }, undefined],
    ]);
    const ids = callsIn(end.parts).map(({ callId }) => callId);
    expect(new Set(ids).size).toBe(2);
    if (!quirks.includes('no ids')) expect(ids).toEqual(['c1', 'c2']);
  });

  test('generated ids are the same in every attempt', async () => {
    const turn: OpenAiTurn = { calls, quirks: ['no ids'] };
    expect((await complete(turn)).end).toEqual((await complete(turn)).end);
  });

  test('tokens that the server does not count are estimated from the prompt and everything received', async () => {
    const { usage } = await complete({ text: ['twelve chars'], reasoning: ['8 chars.'], quirks: ['no usage'] });
    expect(usage).toMatchObject({ cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 5 });
    expect(usage.inputTokens).toBeGreaterThan(10);
  });

  test('reasoning is not part of the answer', async () => {
    const { text, end } = await complete({ reasoning: ['Hm, ', 'well.'], text: ['Yes.'] });
    expect(text).toBe('Yes.');
    expect(end.parts).toEqual([{ type: 'text', text: 'Yes.' }]);
  });

  test('a key is optional', async () => {
    expect((await complete({ text: ['Yes.'] })).text).toBe('Yes.');
  });
});

test('the text of a refusal is not an answer', async () => {
  const { end, text } = await complete({ refusal: ['I cannot ', 'do that.'] });
  expect(end.stopReason).toBe('refusal');
  expect(text).toBe('');
});

describe('error responses with codes more exact than their status', () => {
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
    [{ status: 404, code: 'model_not_found', message: 'The model `x` does not exist.' }, 'model_auth'],
  ])('%j becomes %s', async (refuse, code) => {
    expect((await collect({ errorResponse: refuse })).error).toMatchObject({ code });
  });

  test.each([
    [{ message: 'overloaded', code: 503 }, 'model_unavailable'],
    [{ message: 'slow down', code: 429 }, 'model_rate_limited'],
    [{ message: 'the input is too long', type: 'BadRequestError', code: 400 }, 'model_context_overflow'],
  ])('in the stream: %j becomes %s', async (errorChunk, code) => {
    expect((await collect({ text: ['a'], errorChunk })).error).toMatchObject({ code });
  });
});

describe('differences between OpenAI and compatible servers', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

  test('OpenAI gets the output limit by its new name, other servers by the old one', () => {
    expect(openAiParameters(request({ maxOutputTokens: 99 }), true)).toMatchObject({ max_completion_tokens: 99 });
    expect(openAiParameters(request({ maxOutputTokens: 99 }), true)).not.toHaveProperty('max_tokens');
    expect(openAiParameters(request({ maxOutputTokens: 99 }), false)).toMatchObject({ max_tokens: 99 });
    expect(openAiParameters(request({ maxOutputTokens: 99 }), false)).not.toHaveProperty('max_completion_tokens');
  });

  test('a schema is enforced, in strict mode where possible', async () => {
    await completeResponse(provider, request({ tools: [], outputSchema: schema }));
    expect(sent().response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', strict: true, schema: { ...schema, additionalProperties: false } },
    });
    fake.script({ text: ['x'] });
    await completeResponse(provider, request({ tools: [], outputSchema: { ...schema, required: [] } }));
    expect(sent().response_format?.json_schema?.strict).toBe(false);
  });

  test('a server that refuses a schema gets it in the instructions', async () => {
    const message = 'This response_format type is unavailable now';
    fake.script({ errorResponse: { status: 400, message } }, { text: ['{"city":"Oslo"}'] });
    const { text } = await completeResponse(provider, request({ tools: [], outputSchema: schema }));
    expect(text).toBe('{"city":"Oslo"}');
    expect(sent().response_format).toBeUndefined();
    expect(sent().messages?.[0]?.content).toContain(JSON.stringify(schema));
  });

  test('with tools, OpenAI enforces the schema, and other servers get it in the instructions', async () => {
    await completeResponse(provider, request({ outputSchema: schema }));
    expect(sent().response_format).toBeUndefined();
    expect(sent().messages?.[0]?.content).toContain(JSON.stringify(schema));
    expect(openAiParameters(request({ outputSchema: schema }), true).response_format).toMatchObject({
      type: 'json_schema',
    });
  });
});
