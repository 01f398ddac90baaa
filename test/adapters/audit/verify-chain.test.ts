import { expect, test } from '@jest/globals';
import { checkpointMac, entryHash, fieldsOf, headMac, noHash } from '../../../adapters/audit/chain.ts';
import { ChainVerification } from '../../../adapters/audit/verify-chain.ts';
import { verifyLog } from '../../../adapters/audit/verify-log.ts';
import type { HeadRow } from '../../../adapters/postgres/audit/audit-store.ts';
import { auditKeysIn, type AuditKeys } from '../../../runtime/audit-key-text.ts';
import type { AuditEntryRow } from '../../../runtime/database/audit-tables.ts';

const keys = auditKeysIn(Buffer.alloc(32, 1).toString('base64')) as AuditKeys;
const others = auditKeysIn(Buffer.alloc(32, 2).toString('base64')) as AuditKeys;
const time = new Date('2026-11-24T08:00:00Z');

function makeRows(count: number): AuditEntryRow[] {
  const rows: AuditEntryRow[] = [];
  for (let seq = 1; seq <= count; seq++) {
    const record = { tenant: 'acme', subject: `person-${seq}`, action: 'task.start', outcome: 'ok' as const };
    const entry = { seq, ...fieldsOf(record, time), key_id: keys.signing.id };
    const previous = rows.at(-1)?.hash ?? noHash;
    rows.push({ ...entry, previous, hash: entryHash(keys.signing.secret, previous, entry) });
  }
  return rows;
}
const headOf = (rows: AuditEntryRow[]): HeadRow => {
  const last = rows.at(-1) as AuditEntryRow;
  const head = { seq: last.seq, hash: last.hash, base_seq: 0, base_hash: Buffer.alloc(0), key_id: keys.signing.id };
  return { ...head, mac: headMac(keys.signing.secret, head) };
};
const checkpointOf = ({ seq, hash }: AuditEntryRow) => {
  const unsigned = { seq, hash, at: time, key_id: keys.signing.id };
  return { ...unsigned, mac: checkpointMac(keys.signing.secret, unsigned) };
};

/** What verification says about 100 entries that were changed. */
function verify(
  tamper: (rows: AuditEntryRow[]) => AuditEntryRow[],
  { head, checkpoints = [] }: { head?: HeadRow; checkpoints?: ReturnType<typeof checkpointOf>[] } = {},
) {
  const rows = makeRows(100);
  const verification = new ChainVerification({ head: head ?? headOf(rows), keys, checkpoints });
  for (const row of tamper(structuredCloneRows(rows))) verification.check(row);
  return verification.finish().findings.map(({ kind, from, to }) => `${kind} ${from === to ? from : `${from}-${to}`}`);
}
const structuredCloneRows = (rows: AuditEntryRow[]) => rows.map((row) => ({ ...row }));
const renumber = (rows: AuditEntryRow[]) => rows.map((row, index) => ({ ...row, seq: index + 1 }));
const forged = (row: AuditEntryRow): AuditEntryRow => ({
  ...row,
  subject: 'mallory',
  hash: entryHash(others.signing.secret, row.previous, row),
});
const swap = (rows: AuditEntryRow[], a: number, b: number) =>
  rows.map((row, i) => {
    const at = i + 1;
    const from = at === a ? b : at === b ? a : at;
    return { ...(rows[from - 1] as AuditEntryRow), seq: row.seq };
  });

test('an untouched chain has no findings', () => {
  expect(verify((rows) => rows)).toEqual([]);
});

test.each<[string, (rows: AuditEntryRow[]) => AuditEntryRow[], string[]]>([
  ['an edit', (rows) => rows.map((row) => (row.seq === 40 ? { ...row, subject: 'mallory' } : row)), ['changed 40']],
  [
    'a count that was lowered',
    (rows) => rows.map((row) => (row.seq === 40 ? { ...row, count: 2 } : row)),
    ['changed 40'],
  ],
  [
    'two edits side by side',
    (rows) => rows.map((row) => (row.seq > 39 && row.seq < 42 ? { ...row, via: 'x' } : row)),
    ['changed 40', 'changed 41'],
  ],
  ['a deletion', (rows) => rows.filter(({ seq }) => seq !== 40), ['missing 40']],
  ['a deletion of many', (rows) => rows.filter(({ seq }) => seq < 40 || seq > 60), ['missing 40-60']],
  ['a deletion, and later numbers moved up', (rows) => renumber(rows.filter(({ seq }) => seq !== 40)), ['missing 40']],
  ['the first entry deleted', (rows) => rows.slice(1), ['missing 1']],
  [
    'an insertion, and later numbers moved down',
    (rows) => renumber(rows.toSpliced(40, 0, forged(rows[40] as AuditEntryRow))),
    ['added 41'],
  ],
  ['a forged entry at the end', (rows) => [...rows, { ...forged(rows[99] as AuditEntryRow), seq: 101 }], ['added 101']],
  ['a copy of an entry put in', (rows) => renumber(rows.toSpliced(60, 0, rows[20] as AuditEntryRow)), ['moved 61']],
  ['two entries in each other’s place', (rows) => swap(rows, 40, 70), ['moved 40', 'moved 70']],
  ['neighbours in each other’s place', (rows) => swap(rows, 40, 41), ['moved 40']],
  ['a truncation', (rows) => rows.slice(0, 90), ['cut_off 91-100']],
  ['a truncation of everything', () => [], ['cut_off 1-100']],
])('%s is found, with its place', (_, tamper, found) => {
  expect(verify(tamper)).toEqual(found);
});

test('a truncation together with the end of before is found by a checkpoint from outside', () => {
  const rows = makeRows(100);
  const head = headOf(rows.slice(0, 90));
  const cut = (all: AuditEntryRow[]) => all.slice(0, 90);
  expect(verify(cut, { head })).toEqual([]);
  expect(
    verify(cut, { head, checkpoints: [rows[49], rows[97]].map((row) => checkpointOf(row as AuditEntryRow)) }),
  ).toEqual(['cut_off 91-98']);
});

test('an end and a checkpoint that Alfred did not sign are found', () => {
  const rows = makeRows(100);
  const own = headOf(rows.slice(0, 90));
  const cut = (all: AuditEntryRow[]) => all.slice(0, 90);
  expect(verify(cut, { head: { ...own, mac: headMac(others.signing.secret, own) } })).toEqual(['head 90']);
  const checkpoint = checkpointOf(rows[49] as AuditEntryRow);
  expect(verify((all) => all, { checkpoints: [{ ...checkpoint, seq: 51 }] })).toEqual(['checkpoint 51']);
  expect(
    verify((all) => all, { checkpoints: [checkpointOf({ ...(rows[49] as AuditEntryRow), hash: noHash })] }),
  ).toEqual(['checkpoint 50']);
});

test('a genuine entry that was never stored, in the place of another one, is found', () => {
  const fork = (row: AuditEntryRow): AuditEntryRow => {
    const other = { ...row, subject: 'other' };
    return { ...other, hash: entryHash(keys.signing.secret, row.previous, other) };
  };
  const put = (at: number) => (rows: AuditEntryRow[]) => rows.map((row) => (row.seq === at ? fork(row) : row));
  expect(verify(put(40))).toEqual(['changed 40']);
  expect(verify(put(1))).toEqual(['changed 1']);
  expect(verify(put(100))).toEqual(['head 100']);
  // Rows of another chain behind the beginning.
  const rows = makeRows(100);
  const head = { ...headOf(rows), base_seq: 40, base_hash: rows[41]?.hash as Buffer };
  const moved = { ...head, mac: headMac(keys.signing.secret, head) };
  expect(verify((all) => all.slice(40), { head: moved })).toEqual(['head 40']);
});

test('a checkpoint of an entry that was removed needs no key any more', () => {
  const [first] = makeRows(1) as [AuditEntryRow];
  const checkpoint = { ...checkpointOf(first), key_id: others.signing.id };
  expect(verify((rows) => rows, { checkpoints: [checkpoint] })).toEqual(['checkpoint 1']);
  const rows = makeRows(100);
  const head = { ...headOf(rows), base_seq: 40, base_hash: rows[39]?.hash as Buffer };
  const moved = { ...head, mac: headMac(keys.signing.secret, head) };
  expect(verify((all) => all.slice(40), { head: moved, checkpoints: [checkpoint] })).toEqual([]);
});

test('entries whose time is over while the log is verified are not missing', async () => {
  let rows = makeRows(100);
  let head = headOf(rows);
  const found = await verifyLog({
    keys,
    outside: [],
    rowsAtOnce: 10,
    store: {
      checkpointsAfter: async () => [],
      readHead: async () => head,
      readAfter: async (after, limit) => {
        const page = rows.filter(({ seq }) => seq > after).slice(0, limit);
        if (after === 20 && head.base_seq === 0) {
          const base = { ...head, base_seq: 60, base_hash: rows[59]?.hash as Buffer };
          head = { ...base, mac: headMac(keys.signing.secret, base) };
          rows = rows.slice(60);
        }
        return page;
      },
    },
  });
  expect(found).toMatchObject({ entries: 40, from: 61, to: 100, findings: [] });
});

test('text that UTF-8 or the database cannot hold is signed as it is stored', () => {
  const { subject, client } = fieldsOf(
    { tenant: 't', subject: `a\0b\ud800${'é'.repeat(600)}`, action: 'x', outcome: 'ok', client: undefined },
    time,
  );
  expect([subject.slice(0, 4), subject.length, client]).toEqual(['a\ufffdb\ufffd', 500, null]);
});
