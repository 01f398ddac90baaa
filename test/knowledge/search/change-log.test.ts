import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

test('a database user without privileges may read the identifiers of the database', async () => {
  const client = await env.postgres.pool.connect();
  try {
    await client.query('begin; create role ordinary_user nosuperuser; set local role ordinary_user');
    const { rows } = await client.query('select system_identifier from pg_control_system()');
    expect(rows).toHaveLength(1);
    await client.query('select timeline_id from pg_control_checkpoint()');
  } finally {
    await client.query('rollback');
    client.release();
  }
});
