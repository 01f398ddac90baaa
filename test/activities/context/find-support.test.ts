import { expect, test } from '@jest/globals';
import { citationsOf, numberPassages } from '../../../activities/context/citations.ts';
import { addMissingCitations } from '../../../activities/context/find-support.ts';
import type { Message } from '../../../contract/ports/index.ts';
import { passage } from '../../support/documents/passage.ts';

const found = (...passages: object[]): Message => ({
  role: 'tool',
  results: [{ callId: 'c', tool: 'search_documents', output: { passages } as never, isError: false }],
});
const question: Message = { role: 'user', text: 'How long?' };
const notice = 'Contracts end on a Friday. The department head is told at least 10 working days before.';
const hotel = 'The hotel limit in Lisbon is 140 EUR a night. Breakfast is included.';
const messages = numberPassages([question, found(passage('a', notice), passage('b', hotel, 900))]);

test.each([
  [
    'Tell the department head at least 10 working days before. The hotel limit in Lisbon is 140 EUR.',
    'Tell the department head at least 10 working days before [1]. The hotel limit in Lisbon is 140 EUR [2].',
  ],
  [
    '- The hotel limit in Lisbon is 140 EUR a night\n- Unknown',
    '- The hotel limit in Lisbon is 140 EUR a night [2]\n- Unknown',
  ],
  // Another number, another place, another subject, a question, too little to tell.
  ['The hotel limit in Lisbon is 150 EUR a night.'],
  ['The hotel limit in Paris is not in the documents, only others are.'],
  ['I found nothing about parental leave in your documents.'],
  ['I searched for “Is the hotel limit in Lisbon 140 EUR a night?”'],
  ['140 EUR.'],
  [''],
])('%j is cited where a passage supports it', (text, cited = text) => {
  expect(addMissingCitations(text, messages)).toBe(cited);
});

test('passages of an earlier turn support nothing, and a correction begins no turn', () => {
  const text = 'The hotel limit in Lisbon is 140 EUR.';
  expect(addMissingCitations(text, [...messages, question])).toBe(text);
  const correction: Message = { role: 'user', text: 'Answer again.', because: 'citation_unknown' };
  expect(addMissingCitations(text, [...messages, correction])).toBe('The hotel limit in Lisbon is 140 EUR [2].');
});

test('a quote supports the sentence at which its number stands, not the sentences before it', () => {
  const rules = 'Contracts end on a Friday afternoon. Managers give ninety days of notice in writing.';
  const numbered = numberPassages([question, found(passage('a', rules), passage('b', hotel, 900))]);
  const quotes = (text: string) => citationsOf(text, numbered).map(({ n, quote }) => [n, quote]);
  const [first, second] = ['Contracts end on a Friday afternoon.', 'Managers give ninety days of notice in writing.'];
  expect(quotes('Contracts end on a Friday afternoon. Managers must give ninety days [1].')).toEqual([[1, second]]);
  expect(quotes('Contracts end on a Friday afternoon. [1] Managers give ninety days.')).toEqual([[1, first]]);
  expect(quotes('Do managers give ninety days of notice? Yes [1].')).toEqual([[1, second]]);
});
