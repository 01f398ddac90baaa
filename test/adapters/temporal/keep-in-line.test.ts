import { expect, test } from '@jest/globals';
import { keepInLine } from '../../../adapters/temporal/keep-in-line.ts';

test('of two changes sent in the wrong order, Temporal ends with the state of the row', async () => {
  let row: string | undefined = 'first';
  let temporal: string | undefined;
  const firstMaySend = Promise.withResolvers<void>();
  const read = async () => row;
  let isFirstWaiting = true;
  const first = keepInLine('first', read, async (state) => {
    if (isFirstWaiting) await firstMaySend.promise;
    isFirstWaiting = false;
    temporal = state;
  });
  row = 'second';
  await keepInLine('second', read, async (state) => {
    temporal = state;
  });
  firstMaySend.resolve();
  await first;
  expect(temporal).toBe('second');
});

test('a row that is gone when Temporal was informed is taken away there too', async () => {
  const sent: unknown[] = [];
  await keepInLine(
    'changed',
    async () => undefined,
    async (state: string | undefined) => void sent.push(state),
  );
  expect(sent).toEqual(['changed', undefined]);
});
