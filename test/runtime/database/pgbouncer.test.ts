import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createEventListener } from '../../../adapters/postgres/event-listener.ts';
import { createCallLeases } from '../../../adapters/postgres/ledger/call-leases.ts';
import { freePort } from '../../../deploy/local/ports/ports.ts';
import { faultsOf } from '../../../runtime/database/check-server.ts';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { until } from '../../support/until.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

test('a connection has its limits from its first statement on', async () => {
  const { rows } = await env.postgres.pool.query(
    `select extract(epoch from current_setting('statement_timeout')::interval)::float * 1000 as statement,
       extract(epoch from current_setting('idle_in_transaction_session_timeout')::interval)::float * 1000 as idle`,
  );
  expect(rows).toEqual([{ statement: 30_000, idle: 60_000 }]);
});

test('a listener of a server without a pooler hears itself', async () => {
  const errors: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) });
  const listener = createEventListener(() => env.config.DATABASE_URL, log);
  await listener.start();
  await listener.close();
  expect(errors).toEqual([]);
});

test('an old server, and one with fewer connections than a pool, are named with what to do', () => {
  expect(faultsOf({ version: 15, connections: 97 }, 20)).toEqual([]);
  expect(faultsOf({ version: 14, connections: 20 }, 20)).toEqual([
    expect.stringMatching(/version 14, and Alfred needs 15/),
    expect.stringMatching(/takes 20 connections, .* may open 22: raise max_connections/),
  ]);
});

const hasPgBouncer = spawnSync('pgbouncer', ['--version']).status === 0;

/** PgBouncer in transaction mode before the database of this file. Counted as skipped where it is not installed. */
(hasPgBouncer ? describe : describe.skip)('behind PgBouncer in transaction mode', () => {
  let dir: string;
  let pooler: ChildProcess;
  let config: TestEnvironment['config'];

  beforeAll(async () => {
    const target = new URL(env.config.DATABASE_URL);
    const port = await freePort();
    dir = await mkdtemp(join(tmpdir(), 'alfred-pgbouncer-'));
    await chmod(dir, 0o777);
    const login = `user=${target.username} password=${decodeURIComponent(target.password)}`;
    const database = target.pathname.slice(1);
    await writeFile(
      join(dir, 'pgbouncer.ini'),
      [
        '[databases]',
        `${database} = host=127.0.0.1 port=${target.port} dbname=${database} ${login}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = any',
        'pool_mode = transaction',
        'default_pool_size = 3',
      ].join('\n'),
    );
    // It refuses to run as root.
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    pooler = spawn('pgbouncer', [...user, join(dir, 'pgbouncer.ini')], { stdio: 'ignore' });
    config = {
      ...env.config,
      DATABASE_URL: `postgres://alfred@127.0.0.1:${port}/${database}`,
      DATABASE_DIRECT_URL: env.config.DATABASE_URL,
      DATABASE_PREPARED_STATEMENTS: false,
    };
    const probe = openPostgres(config, env.log);
    await until('PgBouncer answers', () =>
      probe.pool.query('select 1').then(
        () => true,
        () => false,
      ),
    );
    await probe.close();
  });
  afterAll(async () => {
    pooler?.kill('SIGKILL');
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  test('more clients than connections of the server read and write', async () => {
    const postgres = openPostgres(config, env.log);
    const insert = (n: number) =>
      postgres.db.transaction().execute((trx) =>
        trx
          .insertInto('contents')
          .values({ tenant: 'local', subject: 'local', hash: `h${n}`, bytes: Buffer.from('text') })
          .returning('hash')
          .executeTakeFirstOrThrow(),
      );
    const inserted = await Promise.all(Array.from({ length: 20 }, (_, n) => insert(n)));
    expect(inserted).toHaveLength(20);
    await postgres.close();
  });

  test('leases say that they are not kept, and name the variable', async () => {
    const errors: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) });
    const leases = [config.DATABASE_DIRECT_URL ?? '', config.DATABASE_URL].map((url) =>
      createCallLeases(() => url, log),
    );
    const [direct, pooled] = leases;
    direct?.open();
    await until('the direct leases work', () => direct?.stateOf([]), { accept: (state) => state === 'free' });
    expect(errors).toEqual([]);
    pooled?.open();
    await until('the pooled ones complain', () => errors.length > 0);
    expect(errors).toEqual([expect.stringContaining('Set DATABASE_DIRECT_URL')]);
    for (const one of leases) await one.close();
  });

  test('a listener says that it hears nothing, and names the variable', async () => {
    const errors: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) });
    const postgres = openPostgres(config, env.log);
    // Others take turns with the pooler's connections, and end what was set on them, as `DISCARD ALL` does.
    let isBusy = true;
    const others = Array.from({ length: 12 }, async () => {
      while (isBusy) await postgres.pool.query('unlisten *; select pg_sleep(0.02)');
    });
    const deaf = createEventListener(() => config.DATABASE_URL, log);
    await deaf.start();
    await deaf.close();
    isBusy = false;
    await Promise.all(others);
    await postgres.close();
    expect(errors).toEqual([expect.stringContaining('Set DATABASE_DIRECT_URL')]);
  });
});
