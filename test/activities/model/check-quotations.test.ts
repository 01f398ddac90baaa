import { expect, test } from '@jest/globals';
import { markQuotations, unknownQuotations } from '../../../activities/model/check-quotations.ts';
import type { JsonValue } from '../../../contract/json.ts';
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
  ['a block quotation, with its source and a number', '> We keep your data\n> for "two" years [1]\n> — Privacy policy'],
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
  ['marks in marks', '“We keep your «data» for three years”', 'We keep your «data» for three years'],
  ['marks that both close', '”We keep your data for three years”', 'We keep your data for three years'],
  ['marks that do not belong together', '"We keep your data for three years”', 'We keep your data for three years'],
  ['marks that point inwards', '»We keep your data for three years«', 'We keep your data for three years'],
  ['marks of other languages', '„Wir verkaufen alle Ihre Daten“', 'Wir verkaufen alle Ihre Daten'],
])('%s are not, and are marked', (_, answer, words) => {
  expect(unknown(answer)).toEqual([words]);
  expect(markQuotations(answer, [words])).toBe(`[in no source, word for word: ${words}]`);
});

test('a quotation that is put together from words, from two sources or in another order is unknown', () => {
  const text = `The Customer shall pay within 30 days. ${'Other words stand here. '.repeat(60)}Each party may terminate twice a year.`;
  const result = (output: JsonValue): Message => ({
    role: 'tool',
    results: [{ callId: '3', tool: 'read_document', isError: false, output }],
  });
  const isKnown = (answer: string, ...outputs: JsonValue[]) =>
    unknownQuotations(answer, outputs.map(result)).length === 0;
  expect(isKnown('“The Customer … may … terminate … twice”', text)).toBe(false);
  expect(isKnown('“The Customer shall pay … may terminate twice a year”', text)).toBe(false);
  expect(isKnown('“pay within 30 days … The Customer shall pay”', text)).toBe(false);
  const both = ['The Customer shall pay at once.', 'Each party may terminate twice.'];
  expect(isKnown('“The Customer shall pay … Each party may terminate”', both)).toBe(false);
  expect(isKnown('“The Customer shall pay … Each party may terminate”', both.join(' '))).toBe(true);
  expect(isKnown('“The law … is … silent”', 'It reads: The law … is … silent')).toBe(true);
});

test('an invented block quotation is unknown, and is marked', () => {
  const answer = 'It says:\n\n> We sell your data\n> to anyone.\n\nThat is all.';
  const found = unknown(answer);
  expect(found).toEqual(['> We sell your data\n> to anyone.']);
  expect(markQuotations(answer, found)).toBe(
    'It says:\n\n> [in no source, word for word: We sell your data\n> to anyone.]\n\nThat is all.',
  );
});
