import { existsSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import { createTestEnvironment, type TestEnvironment } from './environment.ts';

const environments: TestEnvironment[] = [];
const create = async () => {
  const environment = await createTestEnvironment();
  environments.push(environment);
  return environment;
};
afterAll(() => Promise.all(environments.map((environment) => environment.close())));

test('two environments created at once have different databases, namespaces and folders', async () => {
  const [one, two] = await Promise.all([create(), create()]);
  for (const { postgres } of [one, two]) {
    expect(await postgres.db.selectFrom('tasks').select('id').execute()).toEqual([]);
  }
  expect(one.config.DATABASE_URL).not.toBe(two.config.DATABASE_URL);
  expect(one.config.TEMPORAL_NAMESPACE).not.toBe(two.config.TEMPORAL_NAMESPACE);
  expect(one.config.ALFRED_DATA_DIR).not.toBe(two.config.ALFRED_DATA_DIR);
});

test('the search attributes are registered in the namespace', async () => {
  const { connection, config } = await create();
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: config.TEMPORAL_NAMESPACE,
  });
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(['AlfredAgent', 'AlfredCostUsd']));
});

test('closing an environment drops its database and removes its folder', async () => {
  const witness = await create();
  const closing = await createTestEnvironment();
  await closing.close();
  const name = new URL(closing.config.DATABASE_URL).pathname.slice(1);
  const { rows } = await witness.postgres.pool.query('select 1 from pg_database where datname = $1', [name]);
  expect(rows).toEqual([]);
  expect(existsSync(closing.config.ALFRED_DATA_DIR)).toBe(false);
});
