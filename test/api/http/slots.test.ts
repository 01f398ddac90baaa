import { expect, test } from '@jest/globals';
import { createSlots } from '../../../api/http/slots.ts';

test('a slot is freed once, and 0 bounds nothing', () => {
  const slots = createSlots(1);
  const release = slots.take('ada');
  expect([slots.take('ada'), typeof slots.take('ben')]).toEqual([undefined, 'function']);
  release?.();
  const second = slots.take('ada');
  // A second end of the first changes nothing.
  release?.();
  expect([typeof second, slots.take('ada')]).toEqual(['function', undefined]);
  const unbounded = createSlots(0);
  for (let n = 0; n < 1_000; n++) expect(unbounded.take('ada')).toBeDefined();
});
