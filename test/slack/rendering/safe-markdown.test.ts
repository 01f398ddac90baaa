import { expect, it } from '@jest/globals';
import { safeMarkdown } from '../../../slack/rendering/safe-markdown.ts';

it('notifies no person', () => expect(safeMarkdown('ask <!here>')).toBe('ask <\u2060!here>'));

it('keeps a list of sources visible', () => {
  const text = 'Thirty days [1].\n\n[1]: policies/expenses.md\n  [12]: b.md';
  expect(safeMarkdown(text)).toBe('Thirty days [1].\n\n[1]\u2060: policies/expenses.md\n  [12]\u2060: b.md');
  expect(safeMarkdown(safeMarkdown(text))).toBe(safeMarkdown(text));
  expect(safeMarkdown('as [1]: says\n[docs]: https://example.org')).toBe('as [1]: says\n[docs]: https://example.org');
});
