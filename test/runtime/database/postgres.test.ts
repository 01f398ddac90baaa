import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

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
