import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAuditWriter } from '../../../adapters/audit/audit-writer.ts';
import { createPendingSeal } from '../../../adapters/audit/seal-pending.ts';
import { verifyLog } from '../../../adapters/audit/verify-log.ts';
import { createApprovals } from '../../../adapters/postgres/approvals/approvals.ts';
import { createAuditStore, type AuditStore } from '../../../adapters/postgres/audit/audit-store.ts';
import { auditKeysIn, type AuditKeys } from '../../../runtime/audit-key-text.ts';
import { createLedgerHarness, run, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';
import { tamperedLog } from '../../support/tampered-log.ts';

const keys = auditKeysIn(randomBytes(32).toString('base64')) as AuditKeys;
let harness: LedgerHarness;
let store: AuditStore;
beforeAll(async () => {
  harness = await createLedgerHarness();
  store = createAuditStore(harness.db);
});
afterAll(() => harness?.close());

const query = (text: string, values: unknown[] = []) => harness.pool.query(text, values);
const silent = { error: () => undefined, warn: () => undefined };
const openWriter = () => createAuditWriter({ store, keys: async () => keys, log: silent });
const record = (n: number) => ({ tenant: 'acme', subject: `p${n}`, action: 'task.start', outcome: 'ok' as const });

test('an approval that expires is noted for the log once, in whose task it is; one that a person decides is not', async () => {
  const approvals = createApprovals(harness.db);
  const { task } = await harness.newTask();
  const rule = { approvers: {}, fourEyes: false, expiresS: 60, onExpiry: 'deny' } as const;
  const asked = await approvals.request(
    task,
    run,
    ['c1', 'c2'].map((callId) => ({ step: 1, callId, tool: 'look', arguments: {}, rule: { ...rule, tool: 'look' } })),
  );
  const [late, decided] = asked.flatMap((state) => ('pending' in state ? [state.pending] : []));
  if (!late || !decided) throw new Error('no approval is asked for');
  await approvals.decide(task, run, decided, { approve: true, by: 'ann', note: {} });
  for (const approval of [late, late, decided]) await approvals.expire(task, run, approval);
  const { rows } = await query('select tenant, subject, via, action, resource_id, outcome from audit_pending');
  const { tenant, subject } = task;
  expect(rows).toEqual([
    { tenant, subject, via: 'expiry', action: 'approval.expire', resource_id: late.id, outcome: 'ok' },
  ]);
  await query('delete from audit_pending');
});

test('what workers have done goes into the log once, in its order, also by two processes while others write', async () => {
  const add = (count: number, first = 0) =>
    query(`
      insert into audit_pending (at, tenant, subject, via, action, resource_type, resource_id, outcome, code, client)
      select '2024-01-01T00:00:00.123Z'::timestamptz + n * interval '1 ms', 'runs', 'ada', 'schedule', 'task.start',
        'task', ${first} + n, 'ok', case when n = 2 then 'not_found' end, 'schedule 7'
      from generate_series(1, ${count}) n`);
  await add(1_203);
  const seal = (keysOf = async () => keys) => createPendingSeal({ store, keys: keysOf })();
  // Without the key nothing is lost, and a process without anything to do asks for no key.
  await expect(seal(() => Promise.reject(new Error('no key')))).rejects.toThrow('no key');
  const writer = openWriter();
  await Promise.all([seal(), seal(), ...Array.from({ length: 300 }, (_, n) => writer.write(record(5_000 + n)))]);
  await seal(() => Promise.reject(new Error('no key')));
  // The end that the writer knows has moved.
  await add(1, 1_203);
  await seal();
  await writer.write(record(5_300));
  await writer.close();
  const { rows } = await query(`select * from audit_entries where tenant = 'runs' order by seq`);
  expect(rows.map((row) => Number(row.resource_id))).toEqual(Array.from({ length: 1_204 }, (_, n) => n + 1));
  expect(rows[1]).toMatchObject({
    subject: 'ada',
    via: 'schedule',
    action: 'task.start',
    outcome: 'ok',
    code: 'not_found',
    client: 'schedule 7',
    at: new Date('2024-01-01T00:00:00.125Z'),
    count: 1,
    request_id: null,
  });
  expect((await verifyLog({ store, keys, outside: [] })).findings).toEqual([]);

  // An end that was changed: the rows stay where they are.
  await add(1);
  await tamperedLog(query, `update audit_head set seq = seq + 1`, async () => {
    await expect(seal()).rejects.toThrow(/not what Alfred wrote/);
  });
  expect((await query('select from audit_pending')).rowCount).toBe(1);
  // Where no log is kept, rows go after a month.
  expect(await store.removeOldPending(10)).toBe(1);
  await query(`insert into audit_pending (tenant, subject, via, action, resource_type, resource_id, outcome)
    values ('runs', 'ada', 'schedule', 'task.start', 'task', '1', 'ok')`);
  expect(await store.removeOldPending(10)).toBe(0);
  await seal();
});

test('a row says what has no key can have done, and no other thing; its time is never later than now', async () => {
  const add = (changes: Partial<Record<string, string>> = {}) => {
    const row = {
      tenant: 'limits',
      subject: 'ada',
      via: 'schedule',
      action: 'task.start',
      resource_type: 'task',
      resource_id: '1',
      outcome: 'ok',
      ...changes,
    };
    const places = Object.keys(row).map((_, n) => `$${n + 1}`);
    return query(
      `insert into audit_pending (${Object.keys(row).join()}) values (${places.join()})`,
      Object.values(row),
    );
  };
  const long = 'x'.repeat(501);
  for (const changes of [
    { via: 'oidc' },
    { action: 'sign_in' },
    { via: 'expiry', action: 'task.start' },
    { via: 'cli', action: 'key.create' },
    { outcome: 'signal' },
    { tenant: long },
    { subject: long },
    { resource_type: 'x'.repeat(101) },
    { resource_id: long },
    { code: 'x'.repeat(101) },
    { client: long },
  ])
    await expect(add(changes)).rejects.toMatchObject({ code: '23514' });
  await add({ at: '2199-01-01' });
  await add({ at: '2024-01-01T00:00:00Z', subject: 'x'.repeat(500) });
  await createPendingSeal({ store, keys: async () => keys })();
  const { rows } = await query(
    `select at, at <= now() as is_past from audit_entries where tenant = 'limits' order by seq`,
  );
  expect(rows).toEqual([
    { at: expect.any(Date), is_past: true },
    { at: new Date('2024-01-01T00:00:00Z'), is_past: true },
  ]);
  expect(Date.now() - rows[0].at.getTime()).toBeLessThan(60_000);
});
