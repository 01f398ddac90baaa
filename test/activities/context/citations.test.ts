import { expect, test } from '@jest/globals';
import { citationsOf, citedNotShown, numberPassages, numbersByResult } from '../../../activities/context/citations.ts';
import type { Message } from '../../../contract/ports/index.ts';
import type { StoredMessage } from '../../../contract/messages.ts';
import { selectQuote } from '../../../contract/rules/quote.ts';
import { splitSentences } from '../../../contract/rules/sentences.ts';
import { passage } from '../../support/documents/passage.ts';

const toolMessage = (...passages: object[]): Message => ({
  role: 'tool',
  results: [{ callId: 'c', tool: 'search_documents', output: { passages } as never, isError: false }],
});
const deadline = 'Keep your receipts. You have 30 days to file an expense report. Late reports need a director.';
const travel = 'Book trains first. Flights need approval above 500 EUR.';

test('passages are numbered by first appearance over several searches, and a repeated one keeps its number', () => {
  const messages = numberPassages([
    toolMessage(passage('a', deadline), passage('b', travel)),
    toolMessage(passage('b', travel), passage('c', 'New.')),
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

test('passages from before a compaction keep their numbers, and new ones continue after them', () => {
  const compaction: Message = { role: 'compaction', from: 'h', passages: { a: 1, b: 2 } };
  const numbered = numberPassages([compaction, toolMessage(passage('c', travel), passage('b', deadline))]);
  const renumbered = numberPassages(numbered);
  expect(renumbered).toEqual(numbered);
  const [, message] = renumbered;
  const output = message?.role === 'tool' ? message.results[0]?.output : undefined;
  expect((output as { passages: { n: number }[] }).passages.map(({ n }) => n)).toEqual([3, 2]);
});

test('each number in an answer becomes one citation, with the supporting sentence and its offsets', () => {
  const messages = numberPassages([toolMessage(passage('a', deadline), passage('b', travel, 900))]);
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

test('a place that the provider marked is the quote; a place that does not match its passage is ignored', () => {
  const messages = numberPassages([toolMessage(passage('a', deadline), passage('b', travel, 900))]);
  const place = (chunkId: string, quote: string, start: number) => ({
    chunkId,
    start,
    end: start + quote.length,
    quote,
  });
  const quotes = (...places: ReturnType<typeof place>[]) =>
    citationsOf('You have 30 days to file [1].', messages, places).map(({ quote, start, end }) => [quote, start, end]);
  const late = 'Late reports need a director.';
  const at = deadline.indexOf(late);
  expect(quotes(place('b', 'Book', 0), place('a', late, at), place('a', 'Keep', 0))).toEqual([
    [late, 100 + at, 100 + at + late.length],
  ]);
  const best = quotes();
  expect(best[0]?.[0]).toBe('You have 30 days to file an expense report.');
  // Wrong offsets, an empty quote, a place outside the passage, another passage.
  for (const wrong of [place('a', late, at + 1), place('a', '', 3), place('a', late, 9_000), place('b', late, at)])
    expect(quotes(wrong)).toEqual(best);
});

test('finds the cited passages that are no longer shown', () => {
  const compaction: Message = { role: 'compaction', from: 'h', passages: { a: 1, b: 2, c: 3 } };
  const messages = numberPassages([compaction, toolMessage(passage('a', deadline)), toolMessage(passage('b', travel))]);
  for (const text of ['30 days [1]. Trains [2].', 'No number.', '[1, 2]'])
    expect(citedNotShown(text, messages)).toEqual([]);
  for (const text of ['30 days [3].', '[1, 3] and [3]']) expect(citedNotShown(text, messages)).toEqual([3]);
  // No passage ever had these numbers.
  for (const text of ['30 days [4].', 'In [2026].']) expect(citedNotShown(text, messages)).toEqual([]);
});

test('records which result was the first to show a passage, across a compaction', () => {
  const stored = (result: string): StoredMessage => ({
    role: 'tool',
    results: [{ callId: 'c', tool: 'search_documents', result, isError: false }],
  });
  const root = { role: 'compaction' as const, from: 'h', passages: { a: 1, b: 2 }, shownBy: { first: [1, 2] } };
  const messages = numberPassages([
    root,
    toolMessage(passage('b', travel), passage('c', deadline)),
    toolMessage(passage('c', deadline)),
    toolMessage(passage('d', 'New.')),
  ]);
  const chain = [root, stored('second'), stored('third'), stored('fourth')];
  expect(numbersByResult(messages, chain)).toEqual({ first: [1, 2], second: [3], fourth: [4] });
});

test('an answer without numbers and a conversation without passages have no citations', () => {
  expect(citationsOf('Nothing here.', numberPassages([toolMessage(passage('a', deadline))]))).toEqual([]);
  expect(citationsOf('Claims [1].', [{ role: 'user', text: '[1]' }])).toEqual([]);
});

test.each(['', ' ', '\n\nA. \n\nB', 'One', 'A. B.\n\n', '- a\n- b', 'x\ny z. Ü! 🚀🚀', '表格必须提交。三十天。'])(
  'sentences cover a text without gaps, and none of several is blank: %j',
  (text) => {
    const spans = splitSentences(text).map(({ start, end }) => text.slice(start, end));
    expect(spans.join('')).toBe(text);
    if (spans.length > 1) expect(spans.filter((span) => !span.trim())).toEqual([]);
  },
);

test.each(['', ' ', 'One', 'A. B. C.', 'x'.repeat(5_000), '表格必须在三十天内提交。'])(
  'a quotation is a slice of its passage: %j',
  (text) => {
    const { start, end } = selectQuote(text, 'days to file');
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeLessThanOrEqual(text.length);
    expect(end - start).toBeLessThanOrEqual(400);
  },
);

test('the numbers in the answer of another agent become those of this conversation, once', () => {
  const answered = (answer: string, citedAs: object, ...passages: object[]): Message => ({
    role: 'tool',
    results: [{ callId: 'd', tool: 'delegate', output: { answer, citedAs, passages } as never, isError: false }],
  });
  const numbered = numberPassages([
    toolMessage(passage('a', deadline)),
    answered('Trains [1]; receipts [2, 1]. In [2024].', { t: 1, a: 2 }, passage('t', travel), passage('a', deadline)),
  ]);
  expect(numberPassages(numbered)).toEqual(numbered);
  const message = numbered[1];
  expect(message?.role === 'tool' && message.results[0]?.output).toMatchObject({
    answer: 'Trains [2]; receipts [1, 2]. In [2024].',
    passages: [{ n: 2 }, { n: 1 }],
  });
  expect(citationsOf('Trains come first [2].', numbered)).toMatchObject([
    { chunkId: 't', quote: 'Book trains first.' },
  ]);
});

test('numbers of an answer that mean nothing here are no citations of this conversation', () => {
  const answered = (answer: string, citedAs: object, ...passages: object[]): Message => ({
    role: 'tool',
    results: [
      {
        callId: 'd',
        tool: 'delegate',
        output: { answer, citedAs, ...(passages.length > 0 ? { passages } : {}) } as never,
        isError: false,
      },
    ],
  });
  const answerOf = (message: Message | undefined) =>
    message?.role === 'tool' && (message.results[0]?.output as { answer: string }).answer;
  const messages = [
    toolMessage(passage('a', deadline), passage('b', travel), passage('c', 'New.')),
    answered('Step [3] of [4, 5]. In [2024], list[0].', {}),
    // The second of its passages did not fit.
    answered('Trains [1]; receipts [2]; both [1, 2].', { t: 1, u: 2 }, passage('t', travel)),
  ];
  const numbered = numberPassages(messages);
  expect(numbered.slice(1).map(answerOf)).toEqual([
    'Step (3) of (4, 5). In [2024], list[0].',
    'Trains [4]; receipts (source not shown); both [4].',
  ]);
  // The model reads the rest of the result, in parts.
  const readOn = numberPassages([...messages, toolMessage({ ...passage('u', deadline), chunkId: 'u.0-9' })]);
  expect(answerOf(readOn[2])).toBe('Trains [4]; receipts [5]; both [4, 5].');
});

test('an answer with tens of thousands of citations is read in linear time', () => {
  const text = 'You have 30 days to file an expense report [1]. Flights need approval [2]. '.repeat(20_000);
  const [message] = numberPassages([toolMessage(passage('a', deadline), passage('b', travel))]);
  expect(citationsOf(text, [message!]).map(({ n, quote }) => [n, quote])).toEqual([
    [1, 'You have 30 days to file an expense report.'],
    [2, 'Flights need approval above 500 EUR.'],
  ]);
});
