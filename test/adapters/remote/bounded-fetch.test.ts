import { afterEach, expect, jest, test } from '@jest/globals';
import { createBoundedFetch } from '../../../adapters/remote/bounded-fetch.ts';

afterEach(() => void jest.restoreAllMocks());

test.each([
  ['EHOSTUNREACH', 'connect', 'remote_unavailable'],
  ['EHOSTUNREACH', 'read', 'effect_unknown'],
  ['ENETUNREACH', 'write', 'effect_unknown'],
  ['ECONNREFUSED', 'connect', 'remote_unavailable'],
  ['ECONNRESET', 'read', 'effect_unknown'],
])('a request that ends with %s of %s: %s', async (code, syscall, expected) => {
  const fault = Object.assign(new Error(code), { code, syscall });
  for (const cause of [fault, Object.assign(new AggregateError([fault]), { code })]) {
    jest.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed', { cause }));
    await expect(createBoundedFetch('there')('http://there.example')).rejects.toMatchObject({ code: expected });
  }
});
