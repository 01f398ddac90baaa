import { randomUUID } from 'node:crypto';
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

test('strong evidence: the best sentence with what stands around it, cited at its place', async () => {
  const passage = { ...hotels, highlights: [highlight('A night costs', 0.9), highlight('City: Rome', 0.5)] };
  const events = await stream(answered({ evidence: 'strong', passages: [passage] }));
  const answer = text(events);
  expect(answer).toMatch(
    /^“Book early\. Hotels need .* at most\. Ask the desk\.\nCity: Oslo; Limit: 190 EUR\nCity: Rome; Limit: 140 EUR” \[1\]\n\nOffline/,
  );
  expect(answer).not.toContain('may be related');
  expect(placesOf(events).map(({ start, end }) => rules.slice(start, end))).toEqual([rules]);
});

const placesOf = (events: ModelEvent[]) => {
  const end = events.at(-1);
  const [part] = end?.type === 'end' ? end.parts : [];
  return part?.type === 'text' ? (part.citations ?? []) : [];
};

/** A passage of sentences of the same length, whose best are those with a score. */
function passageOf(length: number, scores: Record<number, number>, n = 1) {
  const sentences = Array.from({ length: 12 }, (_, i) => `Rule ${i + 10} ${'x'.repeat(length - 9)}.`);
  const passageText = sentences.join(' ');
  const highlights = Object.entries(scores).map(([i, score]) => {
    const start = passageText.indexOf(sentences[Number(i)] ?? '');
    return { start, end: start + length, score };
  });
  return { ...hotels, n, chunkId: `c${n}`, text: passageText, start: 0, end: passageText.length, highlights };
}
const rulesIn = (quote: string) => [...quote.matchAll(/Rule (\d+)/g)].map(([, number]) => Number(number) - 10);

test('the best quotation shows about five sentences, the others two; what follows a sentence comes first', async () => {
  const passages = [passageOf(130, { 4: 0.9 }), passageOf(130, { 1: 0.8, 11: 0.7 }, 2)];
  const places = placesOf(await stream(answered({ evidence: 'strong', passages })));
  expect(places.map(({ quote }) => rulesIn(quote))).toEqual([
    [4, 5, 6, 7, 8],
    [1, 2],
    [10, 11],
  ]);
});

test('a good sentence before a quotation that is full is quoted by itself, and one before that joins it', async () => {
  const passages = [passageOf(130, { 4: 0.9, 3: 0.8, 2: 0.7 })];
  const places = placesOf(await stream(answered({ evidence: 'strong', passages })));
  expect(places.map(({ quote }) => rulesIn(quote))).toEqual([
    [4, 5, 6, 7, 8],
    [2, 3],
  ]);
});

test('a quotation shows paragraphs as lines of their own, and three dots where it had to be cut', async () => {
  const passageText = `Bring these:\n\n- a map\n- a list of ${'many long words, '.repeat(60)}and more\n\nThat is all.`;
  const whole = { ...hotels, text: passageText, start: 0, end: passageText.length };
  const at = (words: string) => ({ start: passageText.indexOf(words), end: passageText.length, score: 0.9 });
  const cut = text(
    await stream(answered({ evidence: 'strong', passages: [{ ...whole, highlights: [at('- a list')] }] })),
  );
  expect(cut).toMatch(/(many|long|words,) …” \[1\]/);
  const short = {
    ...whole,
    text: 'Bring these:\n\n- a map\n\nThat is all. Really.',
    highlights: [{ start: 0, end: 12, score: 0.9 }],
  };
  const shown = text(await stream(answered({ evidence: 'strong', passages: [short] })));
  expect(shown).toMatch(/^“Bring these:\n- a map\nThat is all\. Really\.” \[1\]/);
});

test('a sentence that another document has too is quoted once', async () => {
  const copies = [passageOf(130, { 4: 0.9 }), { ...passageOf(130, { 5: 0.8, 1: 0.7 }, 2), documentId: randomUUID() }];
  const places = placesOf(await stream(answered({ evidence: 'strong', passages: copies })));
  expect(places.map(({ chunkId, quote }) => [chunkId, ...rulesIn(quote)])).toEqual([
    ['c1', 4, 5, 6, 7, 8],
    ['c2', 1, 2],
  ]);
});

test('at the end of a passage a quotation shows more of what stands before', async () => {
  const passages = [passageOf(100, { 11: 0.9, 8: 0.8 })];
  const places = placesOf(await stream(answered({ evidence: 'strong', passages })));
  expect(places.map(({ quote }) => rulesIn(quote))).toEqual([[6, 7, 8, 9, 10, 11]]);
});

test('weak evidence: the same sentences, after a line that says that they may only be related', async () => {
  const passage = { ...hotels, highlights: [highlight('A night costs', 0.4)] };
  const answer = text(await stream(answered({ evidence: 'weak', passages: [passage] })));
  expect(answer).toMatch(/^This may be related; it does not clearly answer the question:\n\n“Book early/);
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
