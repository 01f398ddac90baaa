import { expect, test } from '@jest/globals';
import { callLimitMs, stepLimitMs } from '../../../contract/rules/call-limit.ts';

test.each([
  ['a large model without a GPU', 8_192, 4.5],
  ['a small answer', 16, 1],
  ['the longest answer of a hosted model', 128_000, 60],
])('%s may end: %d tokens at %d a second', (_, tokens, tokensPerS) => {
  expect(callLimitMs(tokens)).toBeGreaterThan((tokens / tokensPerS) * 1_000);
  // Temporal's limit of an attempt leaves room for the call of an earlier attempt and a summary.
  expect(stepLimitMs(tokens)).toBeGreaterThanOrEqual(3 * callLimitMs(tokens));
});
