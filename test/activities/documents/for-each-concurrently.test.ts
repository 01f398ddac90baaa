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

test('one failing item does not keep the others from their turn, and its error is thrown at the end', async () => {
  const ended: number[] = [];
  const work = async (item: number) => {
    await new Promise(setImmediate);
    if (item === 2) throw new Error('item 2 cannot be read');
    ended.push(item);
  };
  await expect(forEachConcurrently([1, 2, 3, 4, 5, 6, 7, 8], 3, work)).rejects.toThrow('item 2 cannot be read');
  expect(ended.sort()).toEqual([1, 3, 4, 5, 6, 7, 8]);
});

test('when every item fails, no more are started than run at a time', async () => {
  const started: number[] = [];
  const work = async (item: number) => {
    started.push(item);
    await new Promise(setImmediate);
    throw new Error('the database is away');
  };
  await expect(forEachConcurrently([1, 2, 3, 4, 5, 6, 7, 8], 3, work)).rejects.toThrow('the database is away');
  expect(started).toEqual([1, 2, 3]);
});
