import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAnthropicProvider } from '../../../adapters/models/anthropic.ts';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import { citationsOf, numberPassages, placesIn } from '../../../activities/context/citations.ts';
import type { Message, ModelProvider, ModelRequest } from '../../../contract/ports/index.ts';
import { completeResponse, collectResponse, inspectTool, requestOf } from '../../support/providers/collect-response.ts';
import { startFakeAnthropic, type AnthropicTurn } from '../../support/providers/fake-anthropic.ts';
import type { Cites } from '../../support/providers/fake-anthropic-citations.ts';
import type { Block } from '../../support/providers/fake-anthropic-faults.ts';
import { startFakeOpenAi } from '../../support/providers/fake-openai.ts';
import { passage } from '../../support/documents/passage.ts';

let fake: Awaited<ReturnType<typeof startFakeAnthropic>>;
let provider: ModelProvider;
beforeAll(async () => {
  fake = await startFakeAnthropic('key', { otherwise: () => ({ blocks: [{ type: 'text', pieces: ['Hello.'] }] }) });
  provider = createAnthropicProvider({ apiKey: 'key', baseUrl: fake.url });
});
afterAll(() => fake?.close());

const deadline =
  'Keep your receipts. You have 30 days\nto file a report.\n\n- Late reports need a director.\n- 東京 🚀 too.';
const travel = 'Book trains first. Flights need approval above 500 EUR.';

const found = (callId: string, output: object, isError = false): Message[] => [
  { role: 'assistant', parts: [{ type: 'tool_call', callId, tool: 'look', arguments: { at: 1 } }] },
  { role: 'tool', results: [{ callId, tool: 'look', output: output as never, isError }] },
];
const messages = numberPassages([
  { role: 'user', text: 'How long?' },
  ...found('c1', { passages: [passage('a', deadline), passage('b', travel, 900)], indexVersion: 'v1', note: 'all' }),
  ...found('c2', { passages: [passage('b', travel, 900), passage('c', ' \n')] }),
]);
const request = (more: Partial<ModelRequest> = {}) =>
  requestOf({ model: 'claude-test', tools: [inspectTool], citations: true, messages, ...more });

/** The content of every tool result that was sent. */
const resultsSent = () =>
  (fake.requests.at(-1)?.messages ?? [])
    .flatMap(({ content }) => content as Block[])
    .flatMap((block) => (block.type === 'tool_result' ? [block.content as string | Block[]] : []));
const cite = (search_result_index: number, start_block_index: number, end_block_index = start_block_index + 1) => ({
  search_result_index,
  start_block_index,
  end_block_index,
});
/** A text block, with what it cites. */
type TextBlock = [piece: string, ...cites: (Cites | undefined)[]];
const textBlocks = (...blocks: TextBlock[]): AnthropicTurn => ({
  blocks: blocks.map(([piece, ...cites]) => ({
    type: 'text',
    pieces: [piece],
    cites: cites.filter((each) => each !== undefined),
  })),
});
async function answer(turn: AnthropicTurn, more: Partial<ModelRequest> = {}) {
  fake.script(turn);
  const { text, end } = await completeResponse(provider, request(more));
  const parts = end.parts.filter((part) => part.type === 'text');
  // The streamed text and the stored text are the same.
  expect(parts.map((part) => part.text).join('')).toBe(text);
  return { text, parts, citations: citationsOf(text, messages, placesIn(parts)) };
}

describe('passages', () => {
  test('are sent as search results with a block for each sentence or line, and the rest of the output before them', async () => {
    await completeResponse(provider, request());
    const [first, second] = resultsSent() as Block[][];
    expect(first?.map(({ type }) => type)).toEqual(['text', 'search_result', 'search_result']);
    const { text: _, ...facts } = passage('a', deadline);
    expect(JSON.parse(String(first?.[0]?.text))).toMatchObject({
      passages: [{ n: 1, ...facts }, { n: 2 }],
      indexVersion: 'v1',
      note: 'all',
    });
    expect(String(first?.[0]?.text)).not.toContain('receipts');
    expect(first?.[1]).toEqual({
      type: 'search_result',
      source: 'a',
      title: '[1] Expenses › Deadlines',
      content: [
        { type: 'text', text: 'Keep your receipts. ' },
        { type: 'text', text: 'You have 30 days\nto file a report.\n\n' },
        { type: 'text', text: '- Late reports need a director.\n' },
        { type: 'text', text: '- 東京 🚀 too.' },
      ],
      citations: { enabled: true },
    });
    // The API refuses a search result without text, so such a passage stays in the output.
    expect(second?.map(({ type }) => type)).toEqual(['text', 'search_result']);
    expect(JSON.parse(String(second?.[0]?.text)).passages[1]).toMatchObject({ n: 3, text: ' \n' });
  });

  test('are counted as they are sent', async () => {
    await provider.countTokens?.(request(), new AbortController().signal);
    const counted = fake.requests.at(-1);
    await completeResponse(provider, request());
    expect(counted?.messages).toEqual(fake.requests.at(-1)?.messages);
  });

  test('stay JSON when the answer has a schema, enforced or in the instructions, or when the model cannot cite', async () => {
    const schema = { type: 'object', properties: { days: { type: 'integer' } }, required: ['days'] };
    const free = { type: 'object', additionalProperties: { type: 'string' } };
    for (const more of [{ outputSchema: schema }, { outputSchema: free }, { citations: undefined }]) {
      const [text] = (await completeResponse(provider, request(more))).pieces;
      expect(text).toBe('Hello.');
      for (const content of resultsSent()) expect(JSON.parse(content as string)).toHaveProperty('passages');
    }
  });

  test('are not taken from errors, empty lists or other outputs', async () => {
    const outputs: [object, boolean?][] = [
      [{ passages: [passage('a', deadline)] }, true],
      [{ passages: [] }],
      [{ a: 1 }],
    ];
    const all = outputs.flatMap(([output, isError], i) => found(`c${i}`, output, isError));
    await completeResponse(provider, request({ messages: numberPassages([{ role: 'user', text: 'Q' }, ...all]) }));
    expect(resultsSent().map((content) => typeof content)).toEqual(['string', 'string', 'string']);
  });
});

describe('a citation', () => {
  test('adds the passage’s number behind the cited text, with the quote at its exact place', async () => {
    const { text, citations } = await answer(textBlocks(['You have '], ['a month', cite(0, 1)], ['.']));
    expect(text).toBe('You have a month [1].');
    expect(citations).toMatchObject([{ n: 1, chunkId: 'a', quote: 'You have 30 days\nto file a report.' }]);
    for (const { start, end, quote } of citations) expect(deadline.slice(start - 100, end - 100)).toBe(quote);
  });

  test('of several blocks is quoted from the first to the last', async () => {
    const { citations } = await answer(textBlocks(['Mind the rest', cite(0, 1, 4)]));
    expect(citations[0]?.quote).toBe(deadline.slice(deadline.indexOf('You')));
  });

  test('shares a sentence with others, and a passage has one number in all results', async () => {
    const { text, citations } = await answer(
      textBlocks(['A director', cite(0, 2)], [' or '], ['500 EUR', cite(2, 1), cite(0, 3), cite(1, 1)], ['!']),
    );
    expect(text).toBe('A director [1] or 500 EUR [2, 1]!');
    expect(citations.map(({ n, quote }) => [n, quote])).toEqual([
      [1, '- Late reports need a director.'],
      [2, 'Flights need approval above 500 EUR.'],
    ]);
  });

  test('that the model also writes as a marker appears once, with the cited quote', async () => {
    const { text, parts, citations } = await answer(
      textBlocks(['A director [1]', cite(0, 2)], ['. Book trains', cite(1, 0)], [' [2]. Done.']),
    );
    expect(text).toBe('A director [1]. Book trains [2]. Done.');
    expect(citations.map(({ quote }) => quote)).toEqual(['- Late reports need a director.', 'Book trains first.']);
    // Claude sends many blocks, and they are stored as one text.
    expect(parts).toHaveLength(1);
  });

  test('may come before its text', async () => {
    fake.script({ blocks: [{ type: 'text', pieces: ['Trains', '.'], cites: [cite(1, 0)], citesFirst: true }] });
    expect((await completeResponse(provider, request())).text).toBe('Trains. [2]');
  });

  test.each<[string, Cites]>([
    ['no search result of the request', cite(9, 0)],
    ['a source that is not the one at its index', { ...cite(0, 0), source: 'b' }],
    ['something other than a search result', { ...cite(0, 0), type: 'page_location' }],
  ])('of %s is ignored', async (_, wrongCitation) => {
    const { text, parts } = await answer(textBlocks(['Trains', wrongCitation], ['.']));
    expect(text).toBe('Trains.');
    expect(parts).toEqual([{ type: 'text', text: 'Trains.' }]);
  });

  test.each<[string, Cites]>([
    ['blocks that do not exist', cite(1, 7)],
    ['text that differs from the blocks', { ...cite(1, 0), cited_text: 'Book flights first.' }],
  ])('of %s keeps its number, and the quote is selected by code', async (_, wrongCitation) => {
    const { text, parts, citations } = await answer(
      textBlocks(['Flights above 500 EUR need approval', wrongCitation], ['.']),
    );
    expect(text).toBe('Flights above 500 EUR need approval [2].');
    expect(parts[0]).not.toHaveProperty('citations');
    expect(citations).toMatchObject([{ n: 2, quote: 'Flights need approval above 500 EUR.' }]);
  });

  test('right before a tool call is added to the text before the call', async () => {
    fake.script({
      blocks: [
        { type: 'text', pieces: ['Trains first. '], cites: [cite(1, 0)] },
        { type: 'tool_use', id: 'toolu_9', name: 'look', pieces: ['{"at":2}'] },
      ],
      stopReason: 'tool_use',
    });
    const { text, end } = await completeResponse(provider, request());
    expect(text).toBe('Trains first. [2] ');
    expect(end.parts.map((part) => (part.type === 'text' ? part.text : part.type))).toEqual([text, 'tool_call']);
  });

  test('of an answer that breaks off is dropped, and its tokens are counted', async () => {
    fake.script({ ...textBlocks(['Trains ', cite(1, 0)], ['first.']), endAfter: 5 });
    const { end, usage, error } = await collectResponse(provider, request());
    expect(end).toBeUndefined();
    expect(error).toMatchObject({ code: 'model_unavailable' });
    expect(usage?.inputTokens).toBe(12);
  });
});

test('an answer without citations is streamed unchanged', async () => {
  fake.script({ blocks: [{ type: 'text', pieces: ['One [7]', ' two', ' [1', '].'] }] });
  const { pieces, end } = await completeResponse(provider, request());
  expect(pieces).toEqual(['One [7]', ' two', ' [1', '].']);
  expect(end.parts).toEqual([{ type: 'text', text: 'One [7] two [1].' }]);
});

test('a cited answer is sent back as plain text, to Claude and to other providers', async () => {
  const { parts } = await answer(textBlocks(['You have '], ['a month', cite(0, 1)], ['.']));
  const stored = JSON.parse(JSON.stringify(parts)) as typeof parts;
  const all: Message[] = [...messages, { role: 'assistant', parts: stored }, { role: 'user', text: 'Why?' }];
  await completeResponse(provider, request({ messages: all }));
  expect(fake.requests.at(-1)?.messages?.at(-2)?.content).toEqual([{ type: 'text', text: 'You have a month [1].' }]);

  const other = await startFakeOpenAi('key', { otherwise: () => ({ text: ['So.'] }) });
  try {
    await completeResponse(
      createOpenAiProvider({ apiKey: 'key', baseUrl: other.url }),
      request({ model: 'gpt-test', messages: all }),
    );
    expect(other.requests[0]?.messages?.at(-2)).toEqual({ role: 'assistant', content: 'You have a month [1].' });
    expect(other.requests[0]?.messages?.[3]?.content).toBe(
      JSON.stringify(messages[2]?.role === 'tool' ? messages[2].results[0]?.output : undefined),
    );
  } finally {
    await other.close();
  }
});

describe('the fake refuses what the API refuses', () => {
  const block = { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'x' }] };
  const on = { ...block, citations: { enabled: true } };
  const format = { type: 'json_schema', schema: { type: 'object', additionalProperties: false } };
  const post = async (content: object[], more: object = {}, is_error = false) => {
    const response = await fetch(`${fake.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'key', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'claude-test',
        max_tokens: 10,
        tools: [{ name: 'look', input_schema: { type: 'object' } }],
        messages: [
          { role: 'user', content: 'Q' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'look', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content, is_error }] },
        ],
        ...more,
      }),
    });
    await response.text();
    return response.status;
  };

  test.each<{ what: string; content: object[]; more?: object; isError?: boolean }>([
    { what: 'citations for some', content: [on, block] },
    { what: 'citations with an answer schema', content: [on], more: { output_config: { format } } },
    { what: 'a search result without content', content: [{ ...on, content: [] }] },
    { what: 'an empty block', content: [{ ...on, content: [{ type: 'text', text: '' }] }] },
    { what: 'no source', content: [{ ...on, source: '' }] },
    { what: 'no title', content: [{ ...on, title: undefined }] },
    { what: 'an error with a search result', content: [on], isError: true },
  ])('$what', async ({ content, more, isError }) => {
    expect(await post(content, more, isError)).toBe(400);
  });

  test('and accepts citations for all results, and for none with an answer schema', async () => {
    expect(await post([on, on])).toBe(200);
    expect(await post([block, block], { output_config: { format } })).toBe(200);
  });
});
