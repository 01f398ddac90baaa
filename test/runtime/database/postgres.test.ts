import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { migrate } from '../../../runtime/database/migrate.ts';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
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
  for (let n = 0; n < 2; n++) await migrate(config.DATABASE_URL, log, 'down');
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
  expect(await migrated).toEqual(['0013_following-uploads', '0014_numbers-of-earlier-uploads']);
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
