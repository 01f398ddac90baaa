import { expect, test } from '@jest/globals';
import { pauseMsAfter, quotaHeaders, type Quota } from '../../../contract/rules/request-limits.ts';

const quota = (limit: Quota['limit'], left: number): Quota => ({
  limit,
  most: 300,
  left,
  resetMs: 1_001,
  isExceeded: false,
});

test('what is left of limits is told in the fields of the draft, and nothing where there is no limit', () => {
  expect(quotaHeaders([quota('subject', 12), quota('starts', 0)])).toEqual({
    'ratelimit-policy': '"subject";q=300;w=60, "starts";q=300;w=60',
    ratelimit: '"subject";r=12;t=2, "starts";r=0;t=2',
  });
  expect(quotaHeaders([])).toEqual({});
});

test('pauses grow from a second to a quarter of an hour, however many failures there are', () => {
  expect([1, 2, 3, 10, 11, 1_000, 1_000_000].map(pauseMsAfter)).toEqual([
    1_000, 2_000, 4_000, 512_000, 900_000, 900_000, 900_000,
  ]);
});
