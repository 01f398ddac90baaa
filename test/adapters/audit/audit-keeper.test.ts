import { expect, test } from '@jest/globals';
import { createAuditKeeper } from '../../../adapters/audit/audit-keeper.ts';
import { checkpointMac, headMac } from '../../../adapters/audit/chain.ts';
import type { AuditStore, HeadRow } from '../../../adapters/postgres/audit/audit-store.ts';
import { auditKeysIn, type AuditKeys } from '../../../runtime/audit-key-text.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { until } from '../../support/until.ts';

const keys = auditKeysIn(Buffer.alloc(32, 1).toString('base64')) as AuditKeys;
const { id: key_id, secret } = keys.signing;
const hash = (seq: number) => Buffer.alloc(32, seq);
const checkpointOf = (seq: number) => {
  const unsigned = { seq, hash: hash(seq), at: new Date(0), key_id };
  return { ...unsigned, mac: checkpointMac(secret, unsigned) };
};
const headOf = (seq: number, base = 0): HeadRow => {
  const unsigned = { seq, hash: hash(seq), base_seq: base, base_hash: hash(base), key_id };
  return { ...unsigned, mac: headMac(secret, unsigned) };
};

const createKeeper = (store: Partial<AuditStore>, more: Partial<Parameters<typeof createAuditKeeper>[0]> = {}) =>
  createAuditKeeper({
    store: {
      removeExpired: async () => 0,
      removeCheckpointsBefore: async () => undefined,
      saveCheckpoint: async () => undefined,
      ...store,
    } as AuditStore,
    keys: async () => keys,
    seal: async () => undefined,
    scan: async () => undefined,
    place: undefined,
    log: { error: () => undefined, info: () => undefined },
    checkpointMs: 300_000,
    keptDays: 400,
    ...more,
  });

test('the beginning of the log never moves back, when another process moves it further', async () => {
  const moved: unknown[] = [];
  const keeper = createKeeper({
    checkpointBefore: async () => checkpointOf(40),
    readHead: async () => headOf(100, 20),
    moveBase: async (sign) => void moved.push(sign(headOf(100, 60))),
  });
  await keeper.removeExpired();
  expect(moved).toEqual([undefined]);
});

test('a checkpoint of another process, between two reads, is no log that was cut off', async () => {
  let seq = 100;
  let newest = 90;
  const meanwhile = <T>(row: T): T => {
    seq += 10;
    newest = seq;
    return row;
  };
  const keeper = createKeeper({
    newestCheckpoint: async () => meanwhile(checkpointOf(newest)),
    readHead: async () => meanwhile(headOf(seq)),
  });
  await keeper.writeCheckpoint();
});

test('the end waits for no place that hangs, and for no long removal', async () => {
  let writes = 0;
  const place = {
    write: () => {
      writes++;
      return new Promise<void>(() => undefined);
    },
    read: async () => [],
  };
  const hanging = createKeeper(
    { newestCheckpoint: async () => undefined, readHead: async () => headOf(100) },
    { place, tickMs: 1, stopMs: 1 },
  );
  const stop = hanging.start();
  await until('the place hangs', () => writes, { accept: (count) => count > 0 });
  await stop();

  let removals = 0;
  const removing = createKeeper(
    {
      newestCheckpoint: async () => checkpointOf(100),
      readHead: async () => headOf(100),
      checkpointBefore: async () => undefined,
      removeExpired: async () => {
        removals++;
        await new Promise((resolve) => setImmediate(resolve));
        return 10_000;
      },
    },
    { tickMs: 1, stopMs: 60_000 },
  );
  const stopRemoving = removing.start();
  await until('entries are removed', () => removals, { accept: (count) => count > 2 });
  await stopRemoving();
});

test('what was done without a request goes into the log also while a place of checkpoints hangs', async () => {
  let seals = 0;
  const place = { write: () => new Promise<void>(() => undefined), read: async () => [] };
  const keeper = createKeeper(
    { newestCheckpoint: async () => undefined, readHead: async () => headOf(100) },
    { place, tickMs: 1, stopMs: 1, seal: async () => void seals++ },
  );
  const stop = keeper.start();
  await until('it was taken in again and again', () => seals, { accept: (count) => count > 3 });
  await stop();
});

test('each failure to take it in is counted, and each outage is logged once', async () => {
  const outcomes = [false, false, true, true, false, true];
  const lines: string[] = [];
  let failures = 0;
  const { auditCheckpointAge } = createMetrics();
  const keeper = createKeeper(
    {
      newestCheckpoint: async () => undefined,
      readHead: async () => headOf(0),
      checkpointBefore: async () => undefined,
    },
    {
      tickMs: 1,
      seal: async () => {
        if (outcomes.shift() === false) throw new Error('The database is away.');
      },
      log: {
        error: (_fields: unknown, line?: string) => void lines.push(`error ${line}`),
        info: (line: unknown) => void lines.push(`info ${String(line)}`),
      } as never,
      metrics: { auditCheckpointAge, auditSealFailures: { inc: () => failures++ } as never },
    },
  );
  const stop = keeper.start();
  await until('it is taken in at last', () => outcomes, { accept: ({ length }) => length === 0 });
  await stop();
  const outage = [
    'error what was done without a request cannot be taken into the audit log',
    'info what was done without a request is taken into the audit log again',
  ];
  expect([lines, failures]).toEqual([[...outage, ...outage], 3]);
});
