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
    parts: [{ tool: 'search_documents', arguments: { query: 'How long?', limit: 10 } }],
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
  const answer = text(await stream(answered({ passages: [] })));
  expect(answer).toContain('I don’t know: I found nothing near it. I looked for “How long?”');
  // There is nothing to quote, so it does not speak of passages or of what the documents hold.
  expect(answer).not.toMatch(/passages that match|sentences of the documents|nothing in the documents/);
  expect(text(await stream([{ role: 'user', text: 'Hello' }], { offered: [] }))).not.toBe('');
});

const rules =
  'Book early. Hotels need a receipt. A night costs 190 EUR at most. Ask the desk.\n\nCity: Oslo; Limit: 190 EUR\nCity: Rome; Limit: 140 EUR';
const hotels = {
  n: 1,
  chunkId: 'c',
  documentId: '01a2016d-a24b-75a4-a29e-b8b9392386bd',
  document: 'd',
  title: 't',
  headingPath: [],
  page: null,
  contentHash: 'h',
  text: rules,
  start: 50,
  end: 50 + rules.length,
};
const highlight = (sentence: string, score: number) => {
  const start = 50 + rules.indexOf(sentence);
  return { start, end: start + sentence.length, score };
};

test('strong evidence: the best sentences of all passages with those around them, cited at their places', async () => {
  const passage = { ...hotels, highlights: [highlight('A night costs', 0.9), highlight('City: Rome', 0.5)] };
  const events = await stream(answered({ evidence: 'strong', passages: [passage] }));
  const answer = text(events);
  expect(answer).toContain('“Hotels need a receipt. A night costs 190 EUR at most. Ask the desk.” [1]');
  expect(answer).toContain('“City: Oslo; Limit: 190 EUR\nCity: Rome; Limit: 140 EUR” [1]');
  expect(answer).not.toContain('may be related');
  const end = events.at(-1);
  const [part] = end?.type === 'end' ? end.parts : [];
  const places = part?.type === 'text' ? (part.citations ?? []) : [];
  expect(places).toHaveLength(2);
  for (const { start, end: to, quote } of places) expect(rules.slice(start, to)).toBe(quote);
});

test('a good sentence right before a quotation joins it, or is quoted by itself where the two are too long', async () => {
  const near = { ...hotels, highlights: [highlight('A night costs', 0.9), highlight('Book early', 0.8)] };
  expect(text(await stream(answered({ evidence: 'strong', passages: [near] })))).toMatch(
    /^“Book early\. Hotels need a receipt\. A night costs 190 EUR at most\. Ask the desk\.” \[1\]\n\nOffline/,
  );
  const sentences = ['A', 'B', 'C', 'D'].map((letter) => `${letter}${' long'.repeat(24)}.`);
  const long = sentences.join(' ');
  const starts = sentences.map((sentence) => long.indexOf(sentence));
  const scored = [0.7, 0.9, 0.5].map((score, i) => ({ start: starts[i + 1] ?? 0, end: long.length, score }));
  const first = { start: 0, end: sentences[0]?.length ?? 0, score: 0.8 };
  const passage = { ...hotels, text: long, start: 0, end: long.length, highlights: [...scored, first] };
  const answer = text(await stream(answered({ evidence: 'strong', passages: [passage] })));
  expect(answer.split('\n\n').slice(0, -1)).toEqual([`“${sentences.slice(1).join(' ')}” [1]`, `“${sentences[0]}” [1]`]);
});

test('weak evidence: the same sentences, after a line that says that they may only be related', async () => {
  const passage = { ...hotels, highlights: [highlight('A night costs', 0.4)] };
  const answer = text(await stream(answered({ evidence: 'weak', passages: [passage] })));
  expect(answer).toMatch(/^This may be related; it does not clearly answer the question:\n\n“Hotels need/);
});

test('no evidence: it does not know, although the search returned its nearest passages', async () => {
  const passage = { ...hotels, highlights: [highlight('A night costs', 0.1)] };
  const answer = text(await stream(answered({ evidence: 'none', passages: [passage] })));
  expect(answer).toMatch(/^I don’t know: I found nothing near it\./);
  expect(answer).not.toContain('190');
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
