import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => void (env = await createTestEnvironment()));
afterAll(() => env?.close());

test('closing ends every connection, also of a pool that was asked only directly', async () => {
  const direct = openPostgres(env.config, env.log);
  await direct.pool.query('select 1');
  const typed = openPostgres(env.config, env.log);
  await sql`select 1`.execute(typed.db);
  for (const postgres of [direct, typed, openPostgres(env.config, env.log)]) {
    await postgres.close();
    const { pool } = postgres;
    expect({ ended: pool.ended, left: pool.totalCount }).toEqual({ ended: true, left: 0 });
  }
});
