import { expect, test } from '@jest/globals';
import { createOfflineProvider } from '../../../adapters/models/offline.ts';
import type { Message, ModelEvent } from '../../../contract/ports/index.ts';

const tools = [{ name: 'search_documents', description: '', inputSchema: {} }];

async function stream(
  messages: Message[],
  { latency = { firstTokenMs: 0, tokensPerS: 0 }, offered = tools, signal = new AbortController().signal } = {},
) {
  const events: ModelEvent[] = [];
  const request = {
    model: 'quote',
    instructions: '',
    messages,
    tools: offered,
    maxOutputTokens: 100,
    idempotencyKey: 'k',
  };
  for await (const event of createOfflineProvider(latency).stream(request, signal)) events.push(event);
  return events;
}
const text = (events: ModelEvent[]) => events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('');
const answered = (output: unknown): Message[] => [
  { role: 'user', text: 'How long?' },
  { role: 'tool', results: [{ callId: 'c', tool: 'search_documents', output: output as never, isError: false }] },
];

test('searches the documents with the question', async () => {
  expect((await stream([{ role: 'user', text: 'How long?' }])).at(-1)).toMatchObject({
    stopReason: 'tools',
    parts: [{ tool: 'search_documents', arguments: { query: 'How long?' } }],
  });
});

test('calls the tool that the input names', async () => {
  const tool = { name: 'read_document', arguments: { documentId: 'x' } };
  expect((await stream([{ role: 'user', text: 'Read it', tool }])).at(-1)).toMatchObject({
    parts: [{ tool: 'read_document', arguments: { documentId: 'x' } }],
  });
});

test('quotes passages with their numbers, and explains in one line that it is offline and how to add a key', async () => {
  const passage = {
    n: 3,
    chunkId: 'c',
    documentId: '01a2016d-a24b-75a4-a29e-b8b9392386bd',
    document: 'd',
    title: 't',
    headingPath: [],
    page: null,
    contentHash: 'h',
    text: 'Thirty days.',
    start: 0,
    end: 12,
  };
  const answer = text(await stream(answered({ passages: [passage] })));
  expect(answer).toContain('“Thirty days.” [3]');
  expect(answer.split('\n').filter((line) => line.includes('ANTHROPIC_API_KEY'))).toHaveLength(1);
});

test('reports that nothing matches, and answers without tools too', async () => {
  expect(text(await stream(answered({ passages: [] })))).toContain(
    'nothing in the documents speaks of that. I looked for “How long?”',
  );
  expect(text(await stream([{ role: 'user', text: 'Hello' }], { offered: [] }))).not.toBe('');
});

test('Alfred’s comment on an answer is not searched for', async () => {
  const messages: Message[] = [{ role: 'user', text: 'Answer with JSON.', because: 'output_invalid' }];
  expect((await stream(messages)).at(-1)).toMatchObject({ stopReason: 'end' });
});

test('streams the same text word by word with a latency, and an abort stops it before the first word', async () => {
  const messages = answered({ passages: [] });
  const delayed = await stream(messages, { latency: { firstTokenMs: 1, tokensPerS: 2_000 } });
  expect(delayed.filter(({ type }) => type === 'text').length).toBeGreaterThan(5);
  expect(text(delayed)).toBe(text(await stream(messages)));
  await expect(
    stream(messages, { latency: { firstTokenMs: 60_000, tokensPerS: 0 }, signal: AbortSignal.timeout(20) }),
  ).rejects.toThrow();
});
