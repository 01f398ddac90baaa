import { expect, test } from '@jest/globals';
import { withoutRunningLines } from '../../parsing/formats/pdf-running-lines.ts';

/** Pages of lines from top to bottom. */
const pagesOf = (...pages: string[][]) =>
  pages.map((lines) => lines.map((text, index) => ({ text, size: 10, y: 700 - index * 100 })));
const textsOf = (pages: { text: string }[][]) => pages.map((lines) => lines.map(({ text }) => text));

test('a header stands once, and page numbers are left out', () => {
  const pages = [1, 2, 3, 4, 5].map((n) => ['Manual', `Text of page ${n * 7}.`, `Page ${n} of 5`]);
  expect(textsOf(withoutRunningLines(pagesOf(...pages)))).toEqual([
    ['Manual', 'Text of page 7.', 'Page 1 of 5'],
    ['Text of page 14.'],
    ['Text of page 21.'],
    ['Text of page 28.'],
    ['Text of page 35.'],
  ]);
});

test('numbers that do not count the pages stay, and so does a page of nothing else', () => {
  const invoices = [1_001, 1_007, 1_020, 1_021, 1_099].map((n) => [`Invoice ${n}`, 'Hoist oil', '- 1 -']);
  expect(textsOf(withoutRunningLines(pagesOf(...invoices))).map(([first]) => first)).toEqual(
    invoices.map(([first]) => first),
  );
  const tickets = [1, 2, 3, 4].map((n) => [`Ticket ${n}`]);
  expect(textsOf(withoutRunningLines(pagesOf(...tickets)))).toEqual(tickets);
  const blank = [['Text.', '1'], ['2'], ['Text again.', '3'], ['The end.', '4']];
  expect(textsOf(withoutRunningLines(pagesOf(...blank)))).toHaveLength(4);
});

test('a short document keeps its lines', () => {
  const pages = pagesOf(['Manual', 'a'], ['Manual', 'b'], ['Manual', 'c']);
  expect(withoutRunningLines(pages)).toBe(pages);
});
