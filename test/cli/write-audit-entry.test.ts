import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPendingSeal } from '../../adapters/audit/seal-pending.ts';
import { verifyLog } from '../../adapters/audit/verify-log.ts';
import { createAuditStore } from '../../adapters/postgres/audit/audit-store.ts';
import { writeAuditEntry } from '../../cli/write-audit-entry.ts';
import { operatorActions } from '../../contract/rules/audit-actions.ts';
import { auditKeysIn, type AuditKeys } from '../../runtime/audit-key-text.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

test('an operator never begins the log: the first entry waits for the key of the API, whatever key the operator has', async () => {
  const { db, pool } = env.postgres;
  const store = createAuditStore(db);
  const keyOfApi = randomBytes(32).toString('base64');
  const keys = auditKeysIn(keyOfApi) as AuditKeys;
  const notes: string[] = [];
  const write = async (name: string, key: string | undefined) =>
    writeAuditEntry(
      {
        config: { ...env.config, ALFRED_AUDIT: 'on', ALFRED_AUDIT_KEY: key },
        db,
        terminal: { note: (line) => void notes.push(line) },
      },
      { tenant: name, action: 'tenant.add', resource: { type: 'tenant', id: name } },
    );
  const count = async () => (await pool.query('select from audit_pending')).rowCount;
  await write('one', randomBytes(32).toString('base64'));
  await write('two', undefined);
  expect([notes, await count(), (await store.readHead()).seq]).toEqual([[], 2, 0]);
  await createPendingSeal({ store, keys: async () => keys })();
  await write('three', keyOfApi);
  expect([notes, await count()]).toEqual([[], 0]);
  const { rows } = await pool.query(
    'select tenant, subject, via, action, resource_id, client from audit_entries order by seq',
  );
  const entry = { subject: `unverified:${userInfo().username}`, via: 'cli', action: 'tenant.add', client: 'alfred' };
  expect(rows).toEqual(['one', 'two', 'three'].map((name) => ({ ...entry, tenant: name, resource_id: name })));
  expect((await verifyLog({ store, keys, outside: [] })).findings).toEqual([]);
});

test('each action of an operator may wait for the first entry', async () => {
  const store = createAuditStore(env.postgres.db);
  const entry = { tenant: 'all', subject: 'unverified:ada', via: 'cli', resource_type: 'x', resource_id: 'x' } as const;
  for (const action of operatorActions) await store.addPending({ ...entry, action, outcome: 'ok', client: 'alfred' });
  const { rows } = await env.postgres.pool.query("delete from audit_pending where tenant = 'all' returning action");
  expect(rows).toHaveLength(operatorActions.length);
});
