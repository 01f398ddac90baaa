import { expect, test } from '@jest/globals';
import { formatDollars, formatDuration, formatPlace } from '../../../contract/rules/format.ts';

test.each([
  [-1, '0 ms'],
  [840, '840 ms'],
  [3_200, '3.2 s'],
  [245_000, '4 min 5 s'],
  [7_500_000, '2 h 5 min'],
])('a duration of %d ms is shown as %s', (ms, shown) => {
  expect(formatDuration(ms)).toBe(shown);
});

test.each([
  [0, '$0'],
  [0.00001, '< $0.0001'],
  [0.0123, '$0.0123'],
  [1.5, '$1.50'],
])('%d dollars are shown as %s', (usd, shown) => {
  expect(formatDollars(usd)).toBe(shown);
});

test('a place is the document, its headings and the page', () => {
  const place = { document: 'policies/expenses.md', headingPath: ['Filing', 'Deadlines'], page: 3 };
  expect(formatPlace(place)).toBe('policies/expenses.md › Filing › Deadlines, page 3');
  expect(formatPlace({ ...place, page: null })).toBe('policies/expenses.md › Filing › Deadlines');
});
