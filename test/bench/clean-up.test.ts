import { expect, test } from '@jest/globals';
import { createCleanUp } from './clean-up.ts';
import type { Cleanups } from './servers.ts';

test('what was started last ends first, once, and one that cannot be ended does not keep the others', async () => {
  const ended: string[] = [];
  const errors: unknown[] = [];
  const cleanups: Cleanups = [
    async () => ended.push('servers'),
    () => Promise.reject(new Error('stuck')),
    async () => {
      ended.push('worker');
      // Something that was being started meanwhile.
      cleanups.push(async () => ended.push('late'));
    },
  ];
  const cleanUp = createCleanUp(cleanups, (error) => errors.push(error));
  await Promise.all([cleanUp(), cleanUp()]);
  expect(ended).toEqual(['worker', 'late', 'servers']);
  expect(errors).toEqual([new Error('stuck')]);
});
