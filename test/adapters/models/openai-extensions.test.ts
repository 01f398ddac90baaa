import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import { createProviders } from '../../../adapters/models/providers.ts';
import type { Message } from '../../../contract/ports/index.ts';
import { loadConfig } from '../../../runtime/config.ts';
import {
  callsIn,
  collectResponse,
  completeResponse,
  inspectTool,
  requestOf,
  textIn,
} from '../../support/providers/collect-response.ts';
import { startFakeOpenAi, type OpenAiTurn } from '../../support/providers/fake-openai.ts';

// What compatible servers add to Chat Completions or leave out of it.

let fake: Awaited<ReturnType<typeof startFakeOpenAi>>;
let provider: ReturnType<typeof createOpenAiProvider>;
beforeEach(async () => {
  fake = await startFakeOpenAi(undefined);
  provider = createOpenAiProvider({ baseUrl: fake.url });
});
afterEach(() => fake?.close());

const question: Message = { role: 'user', text: 'What is at 1?' };
const toolCall = { id: 'c1', name: 'look', pieces: ['{"at":', '1}'] };
const ask = (turn: OpenAiTurn, messages: Message[] = [question]) => {
  fake.script(turn);
  return completeResponse(provider, requestOf({ model: 'small-test', tools: [inspectTool], messages }));
};
/** The conversation after a response, with the results of its calls, read back from JSON as it is stored. */
const continueWith = (messages: Message[], parts: Awaited<ReturnType<typeof ask>>['end']['parts']): Message[] =>
  JSON.parse(
    JSON.stringify([
      ...messages,
      { role: 'assistant', parts },
      {
        role: 'tool',
        results: callsIn(parts).map(({ callId, tool }) => ({ callId, tool, output: 'a tree', isError: false })),
      },
    ]),
  ) as Message[];
const lastAssistant = () => fake.requests.at(-1)?.messages?.findLast(({ role }) => role === 'assistant');

describe('reasoning beside tool calls', () => {
  test.each(['reasoning_content', 'reasoning'])(
    '%s is sent back in the turn, and is never text',
    async (reasoningField) => {
      const thought: OpenAiTurn = {
        reasoning: ['I should ', 'look [1].'],
        reasoningField,
        calls: [toolCall],
        quirks: ['wants all back'],
      };
      const first = await ask(thought);
      expect(first.text).toBe('');
      expect(textIn(first.end.parts)).toBe('');
      const second = continueWith([question], first.end.parts);
      const answered = await ask({ reasoning: ['A tree.'], reasoningField, text: ['It is a tree.'] }, second);
      expect(lastAssistant()).toMatchObject({ content: null, [reasoningField]: 'I should look [1].' });
      expect(answered.text).toBe('It is a tree.');
      expect(textIn(answered.end.parts)).toBe('It is a tree.');
      // Such servers want it in every later request too.
      const later: Message[] = [...second, { role: 'assistant', parts: answered.end.parts }, question];
      expect((await ask({ text: ['Still a tree.'] }, later)).text).toBe('Still a tree.');
      expect(lastAssistant()).toMatchObject({ content: 'It is a tree.', [reasoningField]: 'A tree.' });
    },
  );

  test('a step that is corrected keeps the reasoning of its turn', async () => {
    const first = await ask({ reasoning: ['Hm.'], calls: [toolCall], quirks: ['wants all back'] });
    const messages: Message[] = [
      ...continueWith([question], first.end.parts),
      { role: 'assistant', parts: [{ type: 'text', text: 'Tree [9].' }] },
      { role: 'user', text: 'There is no passage 9.', because: 'citation_unknown' },
    ];
    const { end } = await ask({ reasoning: ['So 1.'], text: ['Tree.'] }, messages);
    expect(end.parts).toContainEqual({ type: 'opaque', provider: 'openai', value: { reasoning_content: 'So 1.' } });
  });

  test('a turn without calls keeps no reasoning, because some servers refuse it there', async () => {
    const { end } = await ask({ reasoning: ['Hm.'], text: ['Yes.'] });
    expect(end.parts).toEqual([{ type: 'text', text: 'Yes.' }]);
  });

  test('pieces of reasoning_details are joined and sent back', async () => {
    const details = [
      { type: 'reasoning.text', index: 0, text: 'I ' },
      { type: 'reasoning.text', index: 0, text: 'look.', signature: 's1' },
      { type: 'reasoning.encrypted', index: 1, data: 'e' },
    ];
    const raw = [
      ...details.map((detail) => ({ choices: [{ delta: { reasoning_details: [detail] } }] })),
      { choices: [{ delta: { tool_calls: [{ index: 0, id: 'c1', function: { name: 'look', arguments: '{}' } }] } }] },
    ].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    const first = await ask({ raw: `${raw.join('')}data: [DONE]\n\n` });
    await ask({ text: ['A tree.'] }, continueWith([question], first.end.parts));
    expect(lastAssistant()).toMatchObject({
      reasoning_details: [{ type: 'reasoning.text', index: 0, text: 'I look.', signature: 's1' }, details[2]],
    });
  });
});

describe('unknown fields of a call', () => {
  const extra = { extra_content: { google: { thought_signature: 'c2ln' } } };
  const functionExtra = { provider_specific_fields: { signature: 's' } };

  test.each<NonNullable<OpenAiTurn['quirks']>>([
    [],
    ['whole calls'],
    ['no index', 'whole calls'],
    ['one document'],
    ['interleaved'],
  ])('travel back as they came: %s %s', async (...quirks) => {
    const other = { id: 'c2', name: 'look', pieces: ['{"at":2}'] };
    const calls = [{ ...toolCall, extra, functionExtra }, other];
    const first = await ask({ calls, quirks: [...quirks.filter(Boolean), 'wants all back'] });
    expect(callsIn(first.end.parts).map((call) => call.arguments)).toEqual([{ at: 1 }, { at: 2 }]);
    expect((await ask({ text: ['Trees.'] }, continueWith([question], first.end.parts))).text).toBe('Trees.');
    expect(lastAssistant()?.tool_calls).toEqual([
      { ...extra, id: 'c1', type: 'function', function: { ...functionExtra, name: 'look', arguments: '{"at":1}' } },
      { id: 'c2', type: 'function', function: { name: 'look', arguments: '{"at":2}' } },
    ]);
  });

  test('fields of another provider are not sent', async () => {
    const parts = [
      {
        type: 'tool_call' as const,
        callId: 'c1',
        tool: 'look',
        arguments: {},
        extra: { provider: 'other', value: { x: 1 } },
      },
    ];
    await ask({ text: ['x'] }, continueWith([question], parts));
    expect(lastAssistant()?.tool_calls).toEqual([
      { id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } },
    ]);
  });
});

describe('content as a list of parts', () => {
  const text: OpenAiTurn['text'] = [
    [{ type: 'thinking', thinking: [{ type: 'text', text: 'The user wants [3].' }] }],
    [
      { type: 'text', text: 'It is ' },
      { type: 'reference', reference_ids: [3] },
    ],
    'a tree.',
  ];

  test.each<NonNullable<OpenAiTurn['quirks']>>([['no usage'], ['one document']])(
    'its text is the answer: %s',
    async (...quirks) => {
      const turn = quirks.includes('one document') ? [...text.slice(0, 2), [{ type: 'text', text: 'a tree.' }]] : text;
      const { text: streamed, end, usage } = await ask({ text: turn, quirks });
      expect(streamed).toBe('It is a tree.');
      expect(end.parts).toEqual([{ type: 'text', text: 'It is a tree.' }]);
      // What is not text was generated as well, and counts when the server does not count.
      if (quirks.includes('no usage')) expect(usage.outputTokens).toBeGreaterThan(20);
    },
  );
});

describe('the end of a response', () => {
  test.each<OpenAiTurn>([
    { text: ['It is ', 'a tree.'], quirks: ['no finish reason'] },
    { text: ['It is ', 'a tree.'], quirks: ['no finish reason', 'no usage'] },
    { text: ['It is ', 'a tree.'], quirks: ['one document'] },
    { text: ['It is ', 'a tree.'], quirks: ['one document', 'indented'], chunkBytes: 7 },
    {
      text: ['It is ', 'a tree.'],
      quirks: ['one document'],
      headers: { 'content-type': 'application/json' },
    },
  ])('an answer is taken and asked once: %j', async (turn) => {
    const { end, text, usage } = await ask(turn);
    expect(text).toBe('It is a tree.');
    expect(end).toEqual({ type: 'end', parts: [{ type: 'text', text }], stopReason: 'end' });
    if (!turn.quirks?.includes('no usage')) expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 7 });
    expect(fake.bodies).toHaveLength(1);
  });

  test.each<NonNullable<OpenAiTurn['quirks']>>([['no finish reason'], ['one document']])(
    'calls are taken: %s',
    async (...quirks) => {
      const { end } = await ask({ calls: [toolCall], quirks });
      expect(end.stopReason).toBe('tools');
      expect(callsIn(end.parts)).toEqual([{ type: 'tool_call', callId: 'c1', tool: 'look', arguments: { at: 1 } }]);
    },
  );

  test('the last line may have no line break, and lines may end with CR LF', async () => {
    const chunk = JSON.stringify({ choices: [{ delta: { content: 'A tree.' } }] });
    const { text } = await ask({ raw: `data: ${chunk}\r\n\r\ndata: [DONE]` });
    expect(text).toBe('A tree.');
  });

  test.each<OpenAiTurn>([
    { text: ['a', 'b'], quirks: ['no finish reason'], cutAfter: 3 },
    { text: ['a', 'data: [DONE]'], quirks: ['no finish reason'], endAfter: 3 },
    { raw: '{"choices":[{"message":{"content":"It is a' },
    { raw: '{"error":{"message":"overloaded","code":503}}' },
  ])('an answer that breaks off is still broken: %j', async (turn) => {
    fake.script(turn);
    const { error, end } = await collectResponse(provider, requestOf({ model: 'small-test' }));
    expect(error).toMatchObject({ code: 'model_unavailable' });
    expect(end).toBeUndefined();
  });
});

test('a model server on this machine is a provider of its own, with or without /v1 in its address', async () => {
  for (const address of [fake.url, new URL(fake.url).origin]) {
    const environment = { DATABASE_URL: 'postgres://unused', OLLAMA_BASE_URL: address, OPENAI_API_KEY: 'secret' };
    const { ollama } = createProviders(loadConfig(environment));
    if (!ollama) throw new Error('there is no provider ollama');
    const request = requestOf({ model: 'qwen3:8b', tools: [], messages: [question] });
    fake.script({ text: ['A tree.'] });
    expect((await completeResponse(ollama, request)).text).toBe('A tree.');
    expect(fake.requests.at(-1)).toMatchObject({ model: 'qwen3:8b', max_tokens: expect.any(Number) });
    fake.script({ errorResponse: { status: 404, message: 'model "qwen3:8b" not found' } });
    await expect(completeResponse(ollama, request)).rejects.toThrow(/ollama/);
  }
});
