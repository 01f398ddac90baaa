import { expect, test } from '@jest/globals';
import { createSharedCounter } from '../../../adapters/limits/shared-counter.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** A database that never answers: the process counts for itself, with the same batches. */
const away = { executeQuery: () => Promise.reject(new Error('away')) } as unknown as Database;
const counterOf = (most: number) =>
  createSharedCounter({ limit: 'starts', most, windowMs: 60_000, db: away, onFailure: () => {} });

test('requests that come at once share batches: all within the limit pass, and no more', async () => {
  const counter = counterOf(100);
  const quotas = await Promise.all(Array.from({ length: 130 }, () => counter.take('acme', 'ada')));
  const exceeded = quotas.flat().filter(({ isExceeded }) => isExceeded);
  expect(quotas.flat()).toHaveLength(130);
  expect(exceeded).toHaveLength(30);
});

test('each name has a limit of its own', async () => {
  const counter = counterOf(2);
  const taken = async (name: string) => (await counter.take('acme', name)).map(({ isExceeded }) => isExceeded);
  expect([await taken('ada'), await taken('ada'), await taken('ada'), await taken('bo')]).toEqual([
    [false],
    [false],
    [true],
    [false],
  ]);
});
