import { expect, test } from '@jest/globals';
import { citationsOf, numberPassages } from '../../activities/citations.ts';
import type { Message } from '../../activities/ports.ts';
import { bestQuote } from '../../contract/quote.ts';

const passage = (chunkId: string, text: string, start = 100) => ({
  chunkId,
  documentId: '01a2016d-a24b-75a4-a29e-b8b9392386bd',
  document: 'policies/expenses.md',
  title: 'Expenses',
  headingPath: ['Expenses', 'Deadlines'],
  page: null,
  contentHash: 'h',
  text,
  start,
  end: start + text.length,
  score: 1,
});
const found = (...passages: object[]): Message => ({
  role: 'tool',
  results: [{ callId: 'c', tool: 'search_documents', output: { passages } as never, isError: false }],
});
const deadline = 'Keep your receipts. You have 30 days to file an expense report. Late reports need a director.';
const travel = 'Book trains first. Flights need approval above 500 EUR.';

test('passages are numbered by first appearance over several searches, and a repeated one keeps its number', () => {
  const messages = numberPassages([
    found(passage('a', deadline), passage('b', travel)),
    found(passage('b', travel), passage('c', 'New.')),
  ]);
  const numbers = messages.flatMap((message) =>
    message.role === 'tool'
      ? message.results.map(({ output }) => (output as { passages: { n: number }[] }).passages.map(({ n }) => n))
      : [],
  );
  expect(numbers).toEqual([
    [1, 2],
    [2, 3],
  ]);
});

test('each number in an answer becomes one citation with the sentence that supports it, at its place', () => {
  const messages = numberPassages([found(passage('a', deadline), passage('b', travel, 900))]);
  const citations = citationsOf(
    'You have 30 days to file [1]. Flights above 500 EUR need approval [2, 1]. Nonsense [9].',
    messages,
  );
  expect(citations.map(({ n, quote }) => [n, quote])).toEqual([
    [1, 'You have 30 days to file an expense report.'],
    [2, 'Flights need approval above 500 EUR.'],
  ]);
  for (const { n, quote, start, end } of citations) {
    const [text, at] = n === 1 ? [deadline, 100] : [travel, 900];
    expect(text.slice(start - at, end - at)).toBe(quote);
  }
});

test('an answer without numbers and a conversation without passages have no citations', () => {
  expect(citationsOf('Nothing here.', numberPassages([found(passage('a', deadline))]))).toEqual([]);
  expect(citationsOf('Claims [1].', [{ role: 'user', text: '[1]' }])).toEqual([]);
});

test.each(['', ' ', 'One', 'A. B. C.', 'x'.repeat(5_000), '表格必须在三十天内提交。'])(
  'a quotation is a slice of its passage: %j',
  (text) => {
    const { start, end } = bestQuote(text, 'days to file');
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeLessThanOrEqual(text.length);
    expect(end - start).toBeLessThanOrEqual(400);
  },
);
