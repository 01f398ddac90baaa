import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { watchSignIn } from '../../../api/http/watch-sign-in.ts';
import { person } from '../../support/principals.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const dayMs = 86_400_000;

test('a credential ends at its end, also when that is further away than a timer can wait', async () => {
  const signIn = { principal: person('key:1', { via: 'api_key' }), expiresAt: new Date(Date.now() + 60 * dayMs) };
  const ended = watchSignIn(signIn, new AbortController().signal);
  await jest.advanceTimersByTimeAsync(60 * dayMs - 1);
  expect(ended.aborted).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(ended.reason).toBe('key_expired');
  expect(jest.getTimerCount()).toBe(0);
});

test('a revoked key ends within five seconds of its process, and nothing is watched when the reader is gone', async () => {
  let isGood = true;
  const gone = new AbortController();
  const signIn = { principal: person('key:1', { via: 'api_key' }), isStillGood: async () => isGood };
  const [ended, left] = [watchSignIn(signIn, new AbortController().signal), watchSignIn(signIn, gone.signal)];
  gone.abort();
  isGood = false;
  await jest.advanceTimersByTimeAsync(5_000);
  expect([ended.reason, left.aborted]).toEqual(['key_revoked', false]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a stream of a browser session ends with it', async () => {
  let isGood = true;
  const principal = person('ada', { via: 'session' });
  const ended = watchSignIn({ principal, isStillGood: async () => isGood }, new AbortController().signal);
  const over = watchSignIn({ principal, expiresAt: new Date(Date.now() + 1_000) }, new AbortController().signal);
  await jest.advanceTimersByTimeAsync(5_000);
  expect([ended.aborted, over.reason]).toEqual([false, 'session_ended']);
  isGood = false;
  await jest.advanceTimersByTimeAsync(5_000);
  expect(ended.reason).toBe('session_ended');
});
