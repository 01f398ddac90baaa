import { expect, test } from '@jest/globals';
import { createReceiverSlots } from '../../activities/receiver-slots.ts';

test('a receiver that does not answer takes four slots; another one gets its own, and those in line are spread', () => {
  let now = 0;
  const slots = createReceiverSlots(() => now);
  const taken = Array.from({ length: 4 }, () => slots.take('slow.example'));
  expect(taken.every((slot) => 'release' in slot)).toBe(true);
  expect('release' in slots.take('fast.example')).toBe(true);
  // Each waits a little longer than the one before, as long as a delivery is expected to take.
  const waits = () => Array.from({ length: 3 }, () => (slots.take('slow.example') as { waitMs: number }).waitMs);
  expect(waits()).toEqual([250, 500, 750]);
  now = 15_000;
  for (const slot of taken) if ('release' in slot) slot.release();
  for (let i = 0; i < 4; i++) slots.take('slow.example');
  // A delivery took 15 s, and four go at once.
  expect(waits()).toEqual([3_750, 7_500, 11_250]);
  for (let i = 0; i < 10_000; i++) slots.take('slow.example');
  expect(waits()).toEqual([600_000, 600_000, 600_000]);
});

test('an idle receiver that answers is forgotten', () => {
  const slots = createReceiverSlots();
  for (let i = 0; i < 100; i++) {
    const slot = slots.take(`r${i}.example`);
    if ('release' in slot) slot.release();
  }
  expect(slots.size).toBe(0);
});
