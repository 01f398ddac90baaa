import { expect, test } from '@jest/globals';
import { createAuditLog } from '../../../adapters/audit/audit-log.ts';
import { createRepeats } from '../../../adapters/audit/repeats.ts';
import type { AuditRecord } from '../../../contract/audit.ts';
import { auditKeysIn, type AuditKeys } from '../../../runtime/audit-key-text.ts';
import type { AuditEntryRow } from '../../../runtime/database/audit-tables.ts';

function start() {
  let time = 0;
  const written: AuditRecord[] = [];
  const repeats = createRepeats({ write: (entry) => written.push(entry), now: () => time, mostKinds: 20 });
  return {
    written,
    repeats,
    wait: (ms: number) => {
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

test('a flood does not look through a full window with each of its entries, and loses none', () => {
  const times = { ms: 0 };
  const written: AuditRecord[] = [];
  const repeats = createRepeats({ write: (entry) => written.push(entry), now: () => times.ms, mostKinds: 20 });
  const addAt = (ms: number, ...names: string[]) => {
    times.ms = ms;
    for (const name of names) repeats.add(name, { ...refusal('10.0.0.1'), subject: name });
  };
  const named = (name: string) => written.some(({ subject }) => subject === name);
  addAt(0, ...Array.from({ length: 20 }, (_, n) => `p${n}`));
  addAt(59_800, 'x', 'x');
  addAt(60_100, 'y');
  addAt(60_900, 'z');
  expect([named('p19'), named('x'), named('y'), named('z')]).toEqual([true, false, false, true]);
  // The window of what they share is over too.
  addAt(60_900, ...Array.from({ length: 19 }, (_, n) => `q${n}`));
  addAt(119_700, 'r');
  addAt(119_900, 's');
  repeats.flush(true);
  expect(written.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(45);
});

test('no entry is lost when a window has ended and no flush came', () => {
  const { written, repeats } = start();
  repeats.add('a', refusal('10.0.0.1'));
  repeats.add('a', refusal('10.0.0.1'));
  repeats.flush(true);
  expect(written.map(({ count }) => count)).toEqual([undefined, 1]);
});

test('a flood of strangers hides neither who reads nor who is refused', async () => {
  const rows: AuditEntryRow[] = [];
  const empty = Buffer.alloc(0);
  const audit = createAuditLog({
    isOn: true,
    keys: async () => auditKeysIn(Buffer.alloc(32, 1).toString('base64')) as AuditKeys,
    log: { warn: () => undefined, error: () => undefined },
    store: {
      readHead: async () => ({ seq: 0, hash: empty, base_seq: 0, base_hash: empty, key_id: null, mac: null }),
      append: async (entries) => rows.push(...entries) > 0,
      appendLocked: () => Promise.reject(new Error('no other process writes')),
      list: async () => ({ entries: [], nextCursor: null }),
    },
  });
  for (let n = 0; n < 5_000; n++) audit.note(refusal(`10.${n % 250}.${Math.floor(n / 250)}.1`));
  for (let n = 0; n < 500; n++) {
    const read = { tenant: 'acme', subject: `p${n}`, action: 'document.read', outcome: 'ok' } as const;
    audit.note({ ...read, resource: { type: 'document', id: `d${n}` } });
  }
  await audit.close();
  expect(
    rows.filter(({ action, subject, resource_id: id }) => action === 'document.read' && subject && id),
  ).toHaveLength(500);
  expect(rows.filter(({ action }) => action === 'sign_in').length).toBeLessThan(450);
});
