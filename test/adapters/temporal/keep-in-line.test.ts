import { expect, test } from '@jest/globals';
import { keepInLine } from '../../../adapters/temporal/keep-in-line.ts';

test('of two changes told in the wrong order, Temporal ends with what the row says', async () => {
  let row: string | undefined = 'first';
  let temporal: string | undefined;
  const firstMayTell = Promise.withResolvers<void>();
  const read = async () => row;
  let isFirstHeld = true;
  const first = keepInLine('first', read, async (said) => {
    if (isFirstHeld) await firstMayTell.promise;
    isFirstHeld = false;
    temporal = said;
  });
  row = 'second';
  await keepInLine('second', read, async (said) => void (temporal = said));
  firstMayTell.resolve();
  await first;
  expect(temporal).toBe('second');
});

test('a row that is gone when Temporal was told is taken away there too', async () => {
  const told: unknown[] = [];
  await keepInLine(
    'changed',
    async () => undefined,
    async (said: string | undefined) => void told.push(said),
  );
  expect(told).toEqual(['changed', undefined]);
});
