import { expect, test } from '@jest/globals';
import { markQuotations, unknownQuotations } from '../../../activities/model/check-quotations.ts';
import type { Message } from '../../../contract/ports/index.ts';

const messages: Message[] = [
  { role: 'user', text: 'My contract says: the seller may leave at any time.' },
  {
    role: 'tool',
    results: [
      {
        callId: '1',
        tool: 'read_document',
        isError: false,
        output: { passages: [{ text: 'We **keep** your data\nfor “two” years, and delete it then.' }] },
      },
    ],
  },
];
const unknown = (answer: string) => unknownQuotations(answer, messages);

test.each([
  ['words of a result, across a line break and marks of Markdown', '“We keep your data for "two" years”'],
  ['words of the person', 'You write “the seller may leave at any time.”'],
  ['a quotation with an omission', '"We keep your data … and delete it then"'],
  ['a quotation that ends with the answer’s full stop', '“and delete it then”.'],
  ['a name or a term', 'the “red line” of the “Master Services Agreement”'],
])('%s is known', (_, answer) => {
  expect(unknown(answer)).toEqual([]);
});

test('a result that is shown as JSON is known', () => {
  const output = { error: 'There is no document of the name "x.md" that you may read.' };
  const shown: Message = { role: 'tool', results: [{ callId: '2', tool: 'audit', isError: true, output }] };
  expect(unknownQuotations(`audit: ${JSON.stringify(output)}`, [shown])).toEqual([]);
});

test.each([
  ['changed words', '“We keep your data for three years”', 'We keep your data for three years'],
  [
    'an omission that joins what is not there',
    '"We keep your data … and sell it then"',
    'We keep your data … and sell it then',
  ],
  ['marks of other languages', '„Wir verkaufen alle Ihre Daten“', 'Wir verkaufen alle Ihre Daten'],
])('%s are not, and are marked', (_, answer, words) => {
  expect(unknown(answer)).toEqual([words]);
  expect(markQuotations(answer, [words])).toBe(`[in no source, word for word: ${words}]`);
});
