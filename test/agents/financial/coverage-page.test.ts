import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { coveragePage } from '../../compare/tax/coverage-page.ts';

test('the page of what the tax tables cover is what they have: npm run docs:taxes', async () => {
  expect(await readFile('docs/reference/tax-coverage.md', 'utf8')).toBe(coveragePage());
});
