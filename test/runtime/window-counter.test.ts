import { expect, test } from '@jest/globals';
import { createWindowCounter } from '../../runtime/window-counter.ts';

test('counts each key for itself, and from the beginning when its window is over', () => {
  let now = 0;
  const counter = createWindowCounter({ limit: 'subject', most: 2, windowMs: 60_000, now: () => now });
  expect(counter.take('ada')).toEqual({ limit: 'subject', most: 2, left: 1, resetMs: 60_000, isExceeded: false });
  now = 59_999;
  expect(counter.take('ada')).toMatchObject({ left: 0, resetMs: 1, isExceeded: false });
  expect(counter.take('ada')).toMatchObject({ left: 0, isExceeded: true });
  expect(counter.take('ben').isExceeded).toBe(false);
  now = 60_000;
  expect(counter.take('ada')).toMatchObject({ left: 1, isExceeded: false });
});

test('a flood of keys takes a bounded memory', () => {
  const counter = createWindowCounter({ limit: 'address', most: 1, windowMs: 60_000, now: () => 0 });
  counter.take('first');
  for (let n = 0; n < 50_000; n++) counter.take(`2001:db8:0:${n.toString(16)}::/64`);
  // The count of the address that was seen longest ago is forgotten, and that of the newest is not.
  expect([counter.take('first').isExceeded, counter.take('2001:db8:0:c34f::/64').isExceeded]).toEqual([false, true]);
});
