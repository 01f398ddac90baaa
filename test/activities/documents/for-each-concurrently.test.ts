import { expect, test } from '@jest/globals';
import { forEachConcurrently } from '../../../activities/documents/for-each-concurrently.ts';

test('work runs for every item, and no more than the given number at a time', async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await forEachConcurrently([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    seen.push(item);
    running--;
  });
  expect({ most, seen: seen.sort() }).toEqual({ most: 3, seen: [1, 2, 3, 4, 5, 6, 7] });
});

test('after an error no further item is started, and that error is thrown when the started ones have ended', async () => {
  const started: number[] = [];
  let ended = 0;
  const work = async (item: number) => {
    started.push(item);
    await new Promise(setImmediate);
    if (item === 2) throw new Error('the database is away');
    await new Promise(setImmediate);
    ended++;
  };
  await expect(forEachConcurrently([1, 2, 3, 4, 5, 6, 7, 8], 3, work)).rejects.toThrow('the database is away');
  expect({ started, ended }).toEqual({ started: [1, 2, 3], ended: 2 });
});
