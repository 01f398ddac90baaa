import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kysely, PostgresDialect, type CompiledQuery } from 'kysely';
import { createAuditKeeper } from '../../../adapters/audit/audit-keeper.ts';
import { createAuditWriter } from '../../../adapters/audit/audit-writer.ts';
import { openCheckpointPlace } from '../../../adapters/audit/checkpoint-place.ts';
import { verifyLog } from '../../../adapters/audit/verify-log.ts';
import { createAuditStore, type AuditStore } from '../../../adapters/postgres/audit/audit-store.ts';
import type { AuditKeys } from '../../../runtime/audit-key-text.ts';
import { readAuditKeys } from '../../../runtime/audit-keys.ts';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { rethrowMarked } from '../../../runtime/database/database-errors.ts';
import { createAudit } from '../../../wiring/audit.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { createFakeS3, s3Keys, type FakeS3 } from '../../support/fakes/fake-s3.ts';
import { scansOf, type PlanNode } from '../../support/query-plan.ts';
import { tamperedLog } from '../../support/tampered-log.ts';
import { until } from '../../support/until.ts';

let env: TestEnvironment;
let store: AuditStore;
let keys: AuditKeys;
let s3: FakeS3;
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined };
beforeAll(async () => {
  env = await createTestEnvironment();
  store = createAuditStore(env.postgres.db);
  keys = await readAuditKeys(env.config, { mayMake: true });
  s3 = await createFakeS3({ bucket: 'audit' });
});
afterAll(async () => {
  await s3?.close();
  await env?.close();
});

const openWriter = (more: Partial<AuditStore> = {}) =>
  createAuditWriter({ store: { ...store, ...more }, keys: async () => keys, log: silent });
const record = (n: number) => ({ tenant: 'acme', subject: `p${n}`, action: 'task.start', outcome: 'ok' as const });
const verify = async () => verifyLog({ store, keys, outside: [], rowsAtOnce: 300 });
const query = (text: string) => env.postgres.pool.query(text);
const webhooks = { send: () => Promise.reject(new Error('no webhook is called')) };
const tampered = (statement: string, check: () => Promise<void>) => tamperedLog(query, statement, check);

test('the key of one machine is made once, for its owner alone, also by two processes at once', async () => {
  const config = { ...env.config, ALFRED_DATA_DIR: join(env.config.ALFRED_DATA_DIR, 'new') };
  const made = await Promise.all([0, 1, 2].map(() => readAuditKeys(config, { mayMake: true })));
  expect(new Set(made.map(({ signing }) => signing.id)).size).toBe(1);
  expect((await stat(join(config.ALFRED_DATA_DIR, 'audit.key'))).mode & 0o777).toBe(0o600);
  await expect(
    readAuditKeys({ ...config, ALFRED_AUDIT_KEY_FILE: join(config.ALFRED_DATA_DIR, 'none') }, { mayMake: true }),
  ).rejects.toThrow(/ALFRED_AUDIT_KEY[^]*openssl rand/);
});

test('two thousand entries of two processes at once are one chain, without a gap', async () => {
  const writers = [openWriter(), openWriter()];
  await Promise.all(Array.from({ length: 2_000 }, async (_, n) => writers[n % 2]?.write(record(n))));
  await Promise.all(writers.map((writer) => writer.close()));
  expect(await verify()).toMatchObject({ entries: 2_000, from: 1, to: 2_000, findings: [] });
  const { rows } = await query('select count(distinct subject) as people from audit_entries');
  expect(rows).toEqual([{ people: 2_000 }]);
});

test('an API for others does not start without a key, nor with another one than that of the log', async () => {
  const forOthers = {
    ...env.config,
    ALFRED_DATA_DIR: join(env.config.ALFRED_DATA_DIR, 'empty'),
    ALFRED_API_HOST: '0.0.0.0',
    OIDC_ISSUER: [{ issuer: 'https://login.example.com' }],
  };
  const start = (config: typeof env.config) => createAudit({ ...env, config }, webhooks).checkAudit();
  await expect(start(forOthers)).rejects.toThrow(/ALFRED_AUDIT_KEY is not set[^]*openssl rand[^]*ALFRED_AUDIT=off/);
  const [other, own] = [
    Buffer.alloc(32, 9).toString('base64'),
    await readFile(join(env.config.ALFRED_DATA_DIR, 'audit.key'), 'utf8'),
  ];
  await expect(start({ ...forOthers, ALFRED_AUDIT_KEY: other })).rejects.toThrow(/signed with the key [0-9a-f]{8}/);
  await start({ ...forOthers, ALFRED_AUDIT_KEY: `${other},${own.trim()}` });
  await start({ ...forOthers, ALFRED_AUDIT: 'off' });
});

test('an API starts while the database is away or not migrated', async () => {
  const away = openPostgres({ ...env.config, DATABASE_URL: 'postgres://alfred@127.0.0.1:9/alfred' }, env.log);
  await createAudit({ ...env, postgres: away }, webhooks).checkAudit();
  await away.close();
  await query('alter table audit_head rename to audit_head_away');
  try {
    await createAudit(env, webhooks).checkAudit();
  } finally {
    await query('alter table audit_head_away rename to audit_head');
  }
});

test('the table takes no change, not even from its owner', async () => {
  for (const statement of [
    "update audit_entries set subject = 'x' where seq = 5",
    'delete from audit_entries where seq = 5',
    'truncate audit_entries',
    'set session_replication_role = replica; delete from audit_entries where seq = 5',
  ])
    await expect(query(statement)).rejects.toThrow(/append-only/);
  await query('reset session_replication_role');
  expect((await verify()).findings).toEqual([]);
});

test('what a person with every right changes is found', async () => {
  const findingsAfter = async (statement: string) => {
    let found: string[] = [];
    await tampered(statement, async () => {
      found = (await verify()).findings.map(({ kind, from, to }) => `${kind} ${from}-${to}`);
    });
    return found;
  };
  expect(await findingsAfter("update audit_entries set subject = 'mallory' where seq = 700")).toEqual([
    'changed 700-700',
  ]);
  expect(await findingsAfter('delete from audit_entries where seq between 700 and 710')).toEqual(['missing 700-710']);
  expect(await findingsAfter('delete from audit_entries where seq > 1990')).toEqual(['cut_off 1991-2000']);
  expect(
    await findingsAfter(
      'update audit_entries set seq = -1 where seq = 700; update audit_entries set seq = 700 where seq = 900; update audit_entries set seq = 900 where seq = -1',
    ),
  ).toEqual(['moved 700-700', 'moved 900-900']);
  expect(
    await findingsAfter(
      `update audit_entries set seq = -seq - 1 where seq > 700; update audit_entries set seq = -seq where seq < 0;
       insert into audit_entries select 701, at, tenant, 'mallory', kind, via, action, resource_type, resource_id,
         outcome, code, count, request_id, address, country, client, key_id, previous, hash
       from audit_entries where seq = 700`,
    ),
  ).toEqual(['added 701-701']);
});

test('nothing is written behind an end that somebody has moved', async () => {
  await tampered(
    `delete from audit_entries where seq > 1990;
     update audit_head set seq = 1990, hash = (select hash from audit_entries where seq = 1990)`,
    async () => {
      const writer = openWriter();
      expect(() => writer.check()).not.toThrow();
      await expect(writer.write(record(1))).rejects.toThrow(/audit verify/);
      // What comes now is refused before it is done.
      expect(() => writer.check()).toThrow(/nothing is changed/);
      await expect(createAudit(env, webhooks).checkAudit()).rejects.toThrow(/audit verify/);
      await writer.close();
    },
  );
});

/** As the pool marks a connection that broke. */
const breakConnection = () => rethrowMarked(Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' }));

test('a statement that waits in the database when its connection breaks makes no second entry', async () => {
  const other = await env.postgres.pool.connect();
  const waits = "select 1 from pg_locks where not granted and locktype in ('transactionid', 'tuple')";
  let abandoned: Promise<unknown> | undefined;
  const writer = openWriter({
    append: async (...args) => {
      abandoned = store.append(...args);
      await until('it waits', async () => (await query(waits)).rows, { accept: ({ length }) => length >= 1 });
      return breakConnection();
    },
  });
  try {
    await other.query('begin; select from audit_head for update');
    await expect(writer.write(record(8_001))).rejects.toThrow('the connection broke');
    await until('the repeat waits', async () => (await query(waits)).rows, { accept: ({ length }) => length >= 2 });
  } finally {
    await other.query('rollback');
    other.release();
  }
  await abandoned;
  await writer.close();
  expect((await query("select count(*)::int as n from audit_entries where subject = 'p8001'")).rows).toEqual([
    { n: 1 },
  ]);
  expect((await verify()).findings).toEqual([]);
});

test('a lost answer makes no second entry, and one that was not stored is written when the database is back', async () => {
  const faults = ['before', 'after'];
  const writer = openWriter({
    append: async (...args) => (faults.shift() ? breakConnection() : store.append(...args)),
    appendLocked: async (...args) => {
      const done = await store.appendLocked(...args);
      return faults.shift() ? breakConnection() : done;
    },
  });
  await expect(writer.write(record(9_001))).rejects.toThrow('the connection broke');
  // The second fault comes with the repeat of the first one: what waits behind it hears of it, and is stored too.
  await expect(writer.write(record(9_002))).rejects.toThrow('the connection broke');
  const stored = "select subject from audit_entries where subject like 'p900_' order by seq";
  await until('both are stored', async () => (await query(stored)).rows, { accept: ({ length }) => length >= 2 });
  await writer.close();
  expect((await query(stored)).rows).toEqual([{ subject: 'p9001' }, { subject: 'p9002' }]);
  expect((await verify()).findings).toEqual([]);
});

test('checkpoints go to a file and to a bucket, and show what was cut off together with its old end', async () => {
  const file = join(env.config.ALFRED_DATA_DIR, 'off', 'checkpoints.jsonl');
  const places = [
    openCheckpointPlace(file, env.config),
    openCheckpointPlace('s3://audit/alfred', { ...env.config, ...s3Keys, S3_ENDPOINT: s3.url }),
  ];
  const before = await store.readHead();
  const writer = openWriter();
  await writer.write(record(3_000));
  await writer.close();
  const keeper = (place: (typeof places)[number], now = Date.now) =>
    createAuditKeeper({
      store,
      keys: async () => keys,
      seal: async () => undefined,
      scan: async () => undefined,
      place,
      log: silent,
      checkpointMs: 300_000,
      keptDays: 400,
      now,
    });
  for (const place of places) {
    await query('delete from audit_checkpoints');
    expect(await keeper(place).writeCheckpoint()).toBe(true);
    expect(await keeper(place).writeCheckpoint()).toBe(false);
  }
  // A line that was not written to its end hides none behind it.
  await writeFile(file, `${await readFile(file, 'utf8')}{"sequence": 17, "ha`);
  await places[0]?.write((await places[0].read())[0] as never);
  await query('delete from audit_checkpoints');
  await tampered(
    `delete from audit_entries where seq > ${before.seq};
     update audit_head set seq = ${before.seq}, hash = '\\x${before.hash.toString('hex')}', mac = '\\x${before.mac?.toString('hex')}'`,
    async () => {
      for (const place of places) {
        const { findings } = await verifyLog({ store, keys, outside: await place.read() });
        expect(findings).toMatchObject([{ kind: 'cut_off', to: before.seq + 1 }]);
      }
      expect((await verify()).findings).toEqual([]);
    },
  );
});

test('entries whose time is over go up to a checkpoint, and the rest still verifies', async () => {
  const now = { ms: Date.now() };
  const keeper = createAuditKeeper({
    store,
    keys: async () => keys,
    seal: async () => undefined,
    scan: async () => undefined,
    place: undefined,
    log: silent,
    checkpointMs: 300_000,
    keptDays: 400,
    now: () => now.ms,
  });
  expect(await keeper.writeCheckpoint({ evenIfEarly: true })).toBe(true);
  const { seq } = await store.readHead();
  const writer = openWriter();
  await writer.write(record(4_000));
  expect(await keeper.removeExpired()).toBe(0);
  now.ms += 401 * 86_400_000;
  expect(await keeper.removeExpired()).toBe(seq);
  await writer.write(record(4_001));
  await writer.close();
  expect(await verify()).toMatchObject({ entries: 2, from: seq + 1, to: seq + 2, findings: [] });
  await expect(query(`delete from audit_entries where seq = ${seq + 1}`)).rejects.toThrow(/append-only/);
});

test('lists of a tenant read an index, however many entries others have', async () => {
  await query(`
    insert into audit_entries (seq, at, tenant, subject, action, outcome, count, key_id, previous, hash)
    select 1e6 + n, '2024-01-01'::timestamptz + n * interval '1 minute',
      case when n % 4 = 0 then 'local' else 't' || n % 90 end, 's' || n % 100, 'task.start', 'ok', 1, 'k', '',
      sha256(n::text::bytea)
    from generate_series(1, 20000) n;
    analyze audit_entries`);
  const statements: CompiledQuery[] = [];
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: env.postgres.pool }),
    log: ({ query: sent }) => void statements.push(sent),
  });
  const logged = createAuditStore(db);
  const cursor = `1704067200000.${'0'.repeat(64)}`;
  const day = { from: '2024-01-02T00:00:00Z', to: '2024-01-03T00:00:00Z' };
  for (const filter of [{}, { subject: 's4' }, day, { cursor }, { subject: 's4', cursor }])
    await logged.list('local', { limit: 20, ...filter });
  await logged.readAfter(100, 20);
  await logged.removeExpired(1);
  for (const { sql, parameters } of statements) {
    const { rows } = await env.postgres.pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>({
      text: `explain (format json) ${sql}`,
      values: [...parameters],
    });
    expect([sql, scansOf(rows[0]?.['QUERY PLAN'][0].Plan)]).toEqual([sql, []]);
  }
});
