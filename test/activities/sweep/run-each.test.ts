import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { runEach } from '../../../activities/sweep/run-each.ts';

const log = pino({ level: 'silent' });

test('a part that fails stops no other, and its error ends the step, which is not tried again', async () => {
  const ran: string[] = [];
  const parts = {
    a: async () => void ran.push('a'),
    b: () => Promise.reject(new Error('no list')),
    c: async () => void ran.push('c'),
  };
  await expect(runEach({ log, signal: new AbortController().signal }, parts)).rejects.toMatchObject({
    code: 'internal',
    failures: Infinity,
    cause: { message: 'no list' },
  });
  expect(ran).toEqual(['a', 'c']);
});

test('a cancelled step begins no other part', async () => {
  const ran: string[] = [];
  const controller = new AbortController();
  const parts = {
    a: async () => controller.abort(new Error('stop')),
    b: async () => void ran.push('b'),
  };
  await expect(runEach({ log, signal: controller.signal }, parts)).rejects.toThrow('stop');
  expect(ran).toEqual([]);
});
