import { expect, test } from '@jest/globals';
import { createRepeats } from '../../../adapters/audit/repeats.ts';
import type { AuditRecord } from '../../../contract/audit.ts';

function start() {
  let time = 0;
  const written: AuditRecord[] = [];
  const repeats = createRepeats({ write: (entry) => written.push(entry), now: () => time, mostKinds: 20 });
  return {
    written,
    repeats,
    wait(ms: number) {
      time += ms;
      repeats.flush();
    },
  };
}
const refusal = (address: string): AuditRecord => ({
  tenant: 'local',
  subject: '',
  action: 'sign_in',
  outcome: 'refused',
  code: 'key_invalid',
  requestId: 'r-1',
  address,
});

test('the first is written at once, and how many more there were when the minute is over', () => {
  const { written, repeats, wait } = start();
  for (let n = 0; n < 500; n++) repeats.add('a', refusal('10.0.0.1'));
  expect(written).toHaveLength(1);
  wait(61_000);
  expect(written).toMatchObject([{ requestId: 'r-1' }, { count: 499 }]);
  expect(written[1]).not.toHaveProperty('requestId');
  repeats.add('a', refusal('10.0.0.1'));
  wait(61_000);
  expect(written).toHaveLength(3);
});

test('a flood from ten thousand networks is a bounded number of entries that count all of it', () => {
  const { written, repeats, wait } = start();
  for (let n = 0; n < 10_000; n++) repeats.add(`from ${n}`, refusal(`10.${n % 250}.${Math.floor(n / 250)}.1`));
  wait(61_000);
  expect(written.length).toBeLessThan(60);
  expect(written.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(10_000);
});

test('no entry is lost when a window has ended and no flush came', () => {
  const { written, repeats } = start();
  repeats.add('a', refusal('10.0.0.1'));
  repeats.add('a', refusal('10.0.0.1'));
  repeats.flush(true);
  expect(written.map(({ count }) => count)).toEqual([undefined, 1]);
});
