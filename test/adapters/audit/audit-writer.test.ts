import { expect, test } from '@jest/globals';
import { createAuditWriter } from '../../../adapters/audit/audit-writer.ts';
import { headMac } from '../../../adapters/audit/chain.ts';
import type { HeadRow } from '../../../adapters/postgres/audit/audit-store.ts';
import { auditKeysIn, type AuditKeys } from '../../../runtime/audit-key-text.ts';

const [oldKey, newKey] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));
const keysOf = (text: string) => auditKeysIn(text) as AuditKeys;
const record = { tenant: 'acme', subject: 'ada', action: 'task.start', outcome: 'ok' as const };
const empty = Buffer.alloc(0);

/** A writer whose log ends with an entry that the first of some keys has signed. */
function openWriter({ signed, own }: { signed: string; own: string }) {
  const logged: unknown[] = [];
  const { signing } = keysOf(signed);
  const end = { seq: 7, hash: Buffer.alloc(32, 7), base_seq: 0, base_hash: empty, key_id: signing.id };
  const head: HeadRow = { ...end, mac: headMac(signing.secret, end) };
  const writer = createAuditWriter({
    store: { readHead: async () => head, append: async () => true, appendLocked: async () => undefined },
    keys: async () => keysOf(own),
    log: { warn: () => undefined, error: (line: unknown) => logged.push(line) },
  });
  return { writer, logged };
}

test('a key is rotated in two rounds, and each process goes on behind what the others signed', async () => {
  const rounds = [`${oldKey}`, `${oldKey},${newKey}`, `${newKey},${oldKey}`];
  for (const [before, after] of [rounds.slice(0, 2), rounds.slice(1)])
    for (const [signed, own] of [
      [before, after],
      [after, before],
    ])
      await openWriter({ signed: `${signed}`, own: `${own}` }).writer.write(record);
});

test('a process without the key of the end refuses changes, and logs the entries that it could not store', async () => {
  const { writer, logged } = openWriter({ signed: `${newKey},${oldKey}`, own: `${oldKey}` });
  await expect(writer.write(record)).rejects.toThrow(/audit verify/);
  expect(() => writer.check()).toThrow(/nothing is changed/);
  await writer.close();
  await expect(writer.write({ ...record, subject: 'eve' })).rejects.toThrow(/was done/);
  expect(logged).toEqual(
    expect.arrayContaining([
      { entry: expect.objectContaining({ subject: 'ada', action: 'task.start' }) },
      { entry: expect.objectContaining({ subject: 'eve', action: 'task.start' }) },
    ]),
  );
});
