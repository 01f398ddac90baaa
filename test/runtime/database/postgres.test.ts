import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { pino } from 'pino';
import {
  describeUnavailability,
  isDatabaseError,
  isDatabaseUnavailable,
} from '../../../runtime/database/database-errors.ts';
import { databaseUrl } from '../../../runtime/database/database-url.ts';
import { migrate } from '../../../runtime/database/migrate.ts';
import { openPostgres, type Postgres } from '../../../runtime/database/postgres.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { openSaboteur } from '../../support/environment/saboteur.ts';
import { until } from '../../support/until.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

test('closing ends every connection, also of a pool that was used without Kysely', async () => {
  const direct = openPostgres(env.config, env.log);
  await direct.pool.query('select 1');
  const throughKysely = openPostgres(env.config, env.log);
  await sql`select 1`.execute(throughKysely.db);
  for (const postgres of [direct, throughKysely, openPostgres(env.config, env.log)]) {
    await postgres.close();
    const { pool } = postgres;
    expect({ ended: pool.ended, connections: pool.totalCount }).toEqual({ ended: true, connections: 0 });
  }
});

test('the files of uploads from before are numbered in small transactions, while others read and settle files', async () => {
  const { config, log } = env;
  const { db, pool } = env.postgres;
  let undone: string[] = [];
  while (!undone.includes('0013_following-uploads')) undone = await migrate(config.DATABASE_URL, log, 'down');
  // Upload n has n % 4 settled files and one that is not; those with an odd number have ended.
  await pool.query(`set timezone = 'UTC';
    insert into ingestions (id, tenant, subject, status, created_at, ended_at)
    select lpad(to_hex(n), 32, '0')::uuid, 'local', 'local', case n % 2 when 1 then 'failed' else 'running' end,
      '2026-01-01', case n % 2 when 1 then timestamptz '2026-01-02' end from generate_series(1, 302) n;
    insert into ingestion_files (ingestion_id, ordinal, name, media_type, content_hash, size_bytes, state)
    select lpad(to_hex(n), 32, '0')::uuid, f, 'a', '', '', 0, case when f < n % 4 then 'failed' else 'pending' end
    from generate_series(1, 302) n, generate_series(0, n % 4) f;
    create function wait_here() returns trigger language plpgsql as 'begin
      perform pg_advisory_xact_lock_shared(4711); return new; end';
    create trigger wait_here before update on ingestion_files for each row
      when (new.ingestion_id = '00000000-0000-0000-0000-00000000012e' and new.state <> 'pending' and old.state = new.state)
      execute function wait_here()`);
  const holder = await pool.connect();
  await holder.query('select pg_advisory_lock(4711)');
  const migrated = migrate(config.DATABASE_URL, log);
  await until('the migration waits at the last upload', async () => {
    const { rows } = await pool.query<{ waits: boolean }>(
      `select exists (select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted) as waits`,
    );
    return rows[0]?.waits;
  });
  // All of these waited for the migration, when it locked the tables until its end.
  const settle = (id: string, ordinal: number) =>
    db
      .updateTable('ingestion_files')
      .set({ state: 'added' })
      .where('ingestion_id', '=', id)
      .where('ordinal', '=', ordinal)
      .execute();
  await sql`select count(*) from documents, ingestions`.execute(db);
  await settle('00000000-0000-0000-0000-000000000002', 2);
  await holder.query('select pg_advisory_unlock(4711)');
  holder.release();
  expect((await migrated).slice(0, 2)).toEqual(['0013_following-uploads', '0014_numbers-of-earlier-uploads']);
  await settle('00000000-0000-0000-0000-00000000012e', 2);
  const { rows } = await sql`
    select i.id, last_seq, ended_seq, array_agg(seq order by ordinal) as numbers, max(settled_at) as settled
    from ingestions i join ingestion_files f on f.ingestion_id = i.id group by i.id order by i.id`.execute(db);
  expect(rows).toHaveLength(302);
  expect(rows[0]).toMatchObject({ last_seq: 3, ended_seq: 3, numbers: [2, null], settled: new Date('2026-01-02') });
  expect(rows[1]).toMatchObject({ last_seq: 4, ended_seq: null, numbers: [2, 3, 4] });
  expect(rows[2]).toMatchObject({ last_seq: 5, ended_seq: 5, numbers: [2, 3, 4, null] });
  expect(rows[3]).toMatchObject({ last_seq: 1, ended_seq: null, numbers: [null], settled: null });
  expect(rows[301]).toMatchObject({ last_seq: 4, ended_seq: null, numbers: [2, 3, 4] });
});

test('migrations wait for long transactions and for each other, regardless of the limits of the role', async () => {
  const { config } = env;
  const { pool } = env.postgres;
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const hears = (words: string) => until(words, () => warnings.some((line) => line.includes(words)));
  const tried = 'a migration waits for a table that others use';
  let undone: string[] = [];
  while (!undone.includes('0019_sweep-indexes')) undone = await migrate(config.DATABASE_URL, log, 'down');
  const backup = await pool.connect();
  await backup.query('begin isolation level repeatable read; select 1');
  const reader = await pool.connect();
  await reader.query('begin; select from tasks limit 1');
  const dump = await pool.connect();
  await dump.query('begin; select from callbacks limit 1');
  const limited = new URL(config.DATABASE_URL);
  limited.searchParams.set('options', '-c statement_timeout=1s -c idle_in_transaction_session_timeout=1s');
  try {
    const first = migrate(limited.toString(), log);
    await until('an index is built for longer than the limit', async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where datname = current_database() and query like '%CONCURRENTLY model_calls_uncounted%'
           and wait_event_type = 'Lock' and now() - query_start > interval '1.2 seconds'`,
      );
      return rows.length > 0;
    });
    const second = migrate(config.DATABASE_URL, log);
    await hears('another process migrates this database');
    await backup.query('commit');
    await hears(tried);
    // Others use the table between two attempts.
    await pool.query('select from tasks limit 1');
    await reader.query('commit');
    // It changes a table and builds an index, which alone may wait without a limit.
    await until('the last but one migration has run', async () => {
      const { rows } = await pool.query(`select from migrations where name = '0024_events-by-month'`);
      return rows.length > 0;
    });
    warnings.length = 0;
    await hears(tried);
    await pool.query('select from callbacks limit 1');
    await dump.query('commit');
    expect((await first).slice(0, 2)).toEqual(['0019_sweep-indexes', '0020_temporal-and-workers']);
    expect(await second).toEqual([]);
  } finally {
    for (const client of [backup, reader, dump]) client.release(true);
  }
});

test('no index of a table is there twice under two names', async () => {
  const { rows } = await env.postgres.pool.query(
    `select array_agg(indexname) as names from pg_indexes where schemaname = 'public'
     group by regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON') having count(*) > 1`,
  );
  expect(rows).toEqual([]);
});

describe('an error of our own database', () => {
  const query = (statement: string, { db }: Pick<Postgres, 'db'> = env.postgres) => sql.raw(statement).execute(db);
  /** The error of work that must fail. */
  const failureOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);

  test('that a mistake of ours causes is none that a retry helps', async () => {
    const mistakes = [
      'select 1 / 0',
      'select no_such_column',
      `insert into budgets (id) values ('a'), ('a')`,
      `select 'x'::int`,
    ];
    for (const mistake of mistakes) {
      const error = await failureOf(query(mistake));
      expect([mistake, isDatabaseError(error), isDatabaseUnavailable(error)]).toEqual([mistake, true, false]);
    }
  });

  test('that passes is unavailability: time-outs, locks, missing rights, read-only', async () => {
    const passing = [
      `set local statement_timeout = 1; select pg_sleep(5)`,
      `set local transaction_read_only = on; create table t (a int)`,
      `set local role pg_read_all_stats; select * from tasks`,
      `do $$ begin raise exception 'by an extension'; end $$`,
    ];
    for (const statement of passing) {
      const client = await env.postgres.pool.connect();
      const error = await failureOf(client.query(`begin; ${statement}; commit`));
      await client.query('rollback');
      client.release();
      expect([statement, isDatabaseUnavailable(error)]).toEqual([statement, true]);
    }
  });

  test('of two transactions that lock each other is unavailability for the one that Postgres ends', async () => {
    await query(`insert into budgets (id) values ('first'), ('second')`);
    const bothHold = Promise.withResolvers<void>();
    let holders = 0;
    const lock = (first: string, second: string) =>
      env.postgres.db.transaction().execute(async (trx) => {
        await sql`select from budgets where id = ${first} for update`.execute(trx);
        if (++holders === 2) bothHold.resolve();
        await bothHold.promise;
        await sql`select from budgets where id = ${second} for update`.execute(trx);
      });
    const outcomes = await Promise.all([failureOf(lock('first', 'second')), failureOf(lock('second', 'first'))]);
    const failures = outcomes.filter((outcome) => outcome !== undefined);
    expect(failures).toHaveLength(1);
    expect([failures[0]].map(isDatabaseUnavailable)).toEqual([true]);
  });

  test('is told from an error of another host', async () => {
    const away = { ...env.config, DATABASE_URL: 'postgres://127.0.0.1:1/alfred' };
    const postgres = openPostgres(away, env.log);
    const ours = await failureOf(query('select 1', postgres));
    await postgres.close();
    const other = await failureOf(fetch('http://127.0.0.1:1'));
    expect([isDatabaseUnavailable(ours), isDatabaseUnavailable(other)]).toEqual([true, false]);
  });

  test('of a connection that was ended is unavailability, and the pool goes on', async () => {
    const saboteur = await openSaboteur(env.config.DATABASE_URL);
    const sleeping = failureOf(query('select pg_sleep(60)'));
    await until('the statement runs', async () => {
      const { rows } = await saboteur.query(`select from pg_stat_activity where query = 'select pg_sleep(60)'`);
      return rows.length > 0;
    });
    await saboteur.terminateOthers();
    expect(isDatabaseUnavailable(await sleeping)).toBe(true);
    await until('the pool has a new connection', async () => (await failureOf(query('select 1'))) === undefined);
    await saboteur.close();
  });

  test('a connection to a server that takes no writes is given up, so that the next finds one that does', async () => {
    const saboteur = await openSaboteur(env.config.DATABASE_URL);
    const write = () => query(`insert into budgets (id) values ('after-failover')`);
    await saboteur.makeReadOnly();
    // The pool may still hold a connection from before, which the server has just ended.
    const error = await until('a write is refused', () => failureOf(write()), {
      accept: (failure) => /read-only/.test(String(failure)),
    });
    expect(isDatabaseUnavailable(error)).toBe(true);
    await saboteur.makeWritable();
    await write();
    await saboteur.close();
  });
});

test('a rotated password is refused until the file has the new one, and no restart is needed', async () => {
  const role = `rotated_${new URL(env.config.DATABASE_URL).pathname.slice(1)}`;
  const admin = await openSaboteur(env.config.DATABASE_URL);
  await admin.query(`create role ${role} login password 'old one'`);
  const file = join(env.config.ALFRED_DATA_DIR, 'database-password');
  await writeFile(file, 'old one\n');
  const address = new URL(env.config.DATABASE_URL);
  address.username = role;
  const config = { ...env.config, DATABASE_URL: address.toString(), DATABASE_PASSWORD_FILE: file };
  const postgres = openPostgres(config, env.log);
  const ask = () => sql`select 1`.execute(postgres.db);
  try {
    await ask();
    await admin.query(`alter role ${role} password 'a new/one'`);
    await admin.terminateOthers();
    const error = await until(
      'the old password is refused',
      () =>
        ask().then(
          () => false as const,
          (e: unknown) => e,
        ),
      {
        accept: (failure) => /password/.test(String(failure)),
      },
    );
    expect([isDatabaseUnavailable(error), describeUnavailability(error)]).toEqual([
      true,
      expect.stringContaining('DATABASE_PASSWORD_FILE'),
    ]);
    await writeFile(file, 'a new/one');
    await ask();
    expect(new URL(databaseUrl(config)).password).toBe('a%20new%2Fone');
    await rm(file);
    await admin.terminateOthers();
    const missing = await until(
      'the file is missed',
      () =>
        ask().then(
          () => false as const,
          (e: unknown) => e,
        ),
      {
        accept: (failure) => String(failure).includes(file),
      },
    );
    expect(isDatabaseUnavailable(missing)).toBe(true);
  } finally {
    await postgres.close();
    await admin.query(`drop role ${role}`);
    await admin.close();
  }
});
