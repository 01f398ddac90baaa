import { describe, expect, test } from '@jest/globals';
import { readHeading } from '../../../agents/financial/analysis/periods.ts';
import { readUnits } from '../../../agents/financial/analysis/units.ts';
import { addressOf } from '../../../agents/financial/tables/cells.ts';
import { findDateOrder, readDay } from '../../../agents/financial/tables/dates.ts';
import { partyName } from '../../../agents/financial/tables/names.ts';
import { currencyCode, findNumberStyle, toAmount, writtenAmount } from '../../../agents/financial/tables/numbers.ts';

const read = (text: string, mark: '.' | ',') => {
  const written = writtenAmount(text);
  const amount = written && toAmount(written, mark);
  return amount && `${amount.value.toString()}${amount.currency ? ` ${amount.currency}` : ''}`;
};
const styleOf = (...texts: string[]) =>
  findNumberStyle(
    't.csv',
    texts.map((text, at) => ({ core: writtenAmount(text)?.core ?? '', where: `A${at + 1}` })),
  );

describe('amounts', () => {
  test.each([
    ['1,234.56', '.', '1234.56'],
    ['1.234,56', ',', '1234.56'],
    ['1 234,56', ',', '1234.56'],
    ['1\u202f234\u00a0567', ',', '1234567'],
    ["1'234.50", '.', '1234.5'],
    ['12,34,567.00', '.', '1234567'],
    ['(1,234)', '.', '-1234'],
    ['-1.234', ',', '-1234'],
    ['1,234-', '.', '-1234'],
    ['−5', '.', '-5'],
    ['$(1,000.00)', '.', '-1000 $'],
    ['-£3.50', '.', '-3.5 GBP'],
    ['1.234,50 €', ',', '1234.5 EUR'],
    ['USD 12', '.', '12 USD'],
    ['12.5 %', '.', '0.125'],
    ['.5', '.', '0.5'],
  ] as const)('%s with %s is %s', (text, mark, value) => expect(read(text, mark)).toBe(value));

  test.each(['12.5 Mio', '1,2,3', '1.234.5', 'abc', '1-2', '--5', '12 34', '1,23,4', '٣', '5 of 6', '9'.repeat(19)])(
    '%s is no amount',
    (text) => expect(read(text, '.')).toBeUndefined(),
  );

  test('show their decimal mark together, and are refused when they do not', () => {
    expect(styleOf('1.234', '2,5').mark).toBe(',');
    expect(styleOf('1,234', '2.50').mark).toBe('.');
    expect(styleOf('1,234', '12,500', '900')).toMatchObject({ mark: '.', note: expect.stringContaining('thousands') });
    expect(() => styleOf('1,234', '12,500', '1500')).toThrow('decimalMark');
    expect(() => styleOf('1.234', '900')).toThrow('1.234 (A1)');
    expect(() => styleOf('1.234,5', '1,234.5')).toThrow('two kinds');
    expect(styleOf('0.125', '900').mark).toBe('.');
  });
});

describe('days', () => {
  test.each([
    ['2024-02-29', '2024-02-29'],
    ['29.2.2024', '2024-02-29'],
    ['31/12/24', '2024-12-31'],
    ['20240131', '2024-01-31'],
    ['1st March 2024', '2024-03-01'],
    ['3 févr. 2024', '2024-02-03'],
    ['März 5, 2024', '2024-03-05'],
    ['2024-01-05T10:00:00Z', '2024-01-05'],
    ['31.02.2024', undefined],
    ['2023-02-29', undefined],
    ['12 marketing 2024', undefined],
  ])('%s is %s', (text, day) => expect(readDay(text)).toBe(day));

  test('show the order of day and month together, and are refused when they do not', () => {
    const order = (texts: string[], usual?: 'dmy' | 'mdy') =>
      findDateOrder(
        't.csv',
        texts.map((text) => ({ text, where: 'A1' })),
        usual,
      );
    expect(order(['3/4/2024', '3/14/2024'])).toBe('mdy');
    expect(order(['3/4/2024', '14/3/2024'])).toBe('dmy');
    expect(order(['3/4/2024'], 'mdy')).toBe('mdy');
    expect(order(['3/3/2024', '2024-01-05'])).toBe('dmy');
    expect(() => order(['3/4/2024'])).toThrow('dateOrder');
    expect(() => order(['13/4/2024', '4/13/2024'])).toThrow('two orders');
  });
});

test.each([
  ['2024', '2024'],
  ['FY24', '2024'],
  ['FY2024A', '2024'],
  ['2024/25', '2025'],
  ['2024 (EUR m)', '2024'],
  ['Q3 2024', '2024-Q3'],
  ['2024 Q3', '2024-Q3'],
  ['3Q24', '2024-Q3'],
  ['T2 2024', '2024-Q2'],
  ['1. Quartal 2024', '2024-Q1'],
  ['H1 2024', '2024-H1'],
  ['Jan-24', '2024-01'],
  ['janv. 2024', '2024-01'],
  ['2024-03', '2024-03'],
  ['03/2024', '2024-03'],
  ['Year ended 31 December 2024', '2024'],
  ['Three months ended March 31, 2024', '2024-Q1'],
])('the heading %s is the period %s', (text, id) => expect(readHeading(text)).toMatchObject({ id }));

test.each(['2025 Budget', '2025E', 'YTD 2024', 'Change %', 'Total', '2024 Plan', 'Note'])(
  'the heading %s is left out',
  (text) => expect(readHeading(text)).toBe('other'),
);
test.each(['Revenue', '1500', 'Q5 2024', '', 'Jan'])('%j is no heading', (text) =>
  expect(readHeading(text)).toBeUndefined(),
);

test.each([
  ['in thousands of USD', 1_000, 'USD'],
  ['GuV in TEUR', 1_000, 'EUR'],
  ["$'000", 1_000, '$'],
  ['EUR m', 1_000_000, 'EUR'],
  ['in Mio. €', 1_000_000, 'EUR'],
  ['₹ crore', 10_000_000, 'INR'],
  ['months of 2024', undefined, undefined],
])('%s is a unit', (text, scale, currency) => expect(readUnits(text)).toEqual({ scale, currency }));

test('a word that every object inherits is no currency', () => {
  expect(currencyCode('constructor')).toBe('constructor');
  expect(currencyCode('€')).toBe('EUR');
});

test('names of parties are compared without their legal form, and addresses are those of sheets', () => {
  expect(new Set(['Acme GmbH', 'ACME G.m.b.H.', 'acme  gmbh & Co. KG'].map(partyName))).toEqual(new Set(['acme']));
  expect(partyName('Company Ltd')).not.toBe('');
  expect([addressOf(3, 0), addressOf(1, 25), addressOf(1, 26), addressOf(9, 701), addressOf(1, 702)]).toEqual([
    'A3',
    'Z1',
    'AA1',
    'ZZ9',
    'AAA1',
  ]);
});
