import { expect, test } from '@jest/globals';
import { createFairSemaphore } from '../../runtime/semaphore.ts';

const { signal } = new AbortController();

test('owners take turns, however many calls of one wait, and each in its own order', async () => {
  const withTurn = createFairSemaphore(1);
  const order: string[] = [];
  const calls = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) =>
    withTurn(name.slice(0, 1), signal, async () => void order.push(name)),
  );
  await Promise.all(calls);
  expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

test('a call that leaves the queue takes no turn, and its slot is free for others', async () => {
  const withTurn = createFairSemaphore(1);
  const order: string[] = [];
  const abort = new AbortController();
  const first = Promise.withResolvers<void>();
  const running = withTurn('a', signal, () => first.promise);
  const left = withTurn('b', abort.signal, async () => void order.push('b'));
  const next = withTurn('a', signal, async () => void order.push('a'));
  abort.abort(new Error('not wanted'));
  await expect(left).rejects.toThrow('not wanted');
  first.resolve();
  await Promise.all([running, next]);
  await withTurn('b', signal, async () => void order.push('b again'));
  expect(order).toEqual(['a', 'b again']);
});
