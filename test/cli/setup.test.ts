import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sweepScheduleId } from '../../contract/ids.ts';
import { searchAttributeTypes } from '../../contract/search-attributes.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { alfred } from './run-alfred.ts';

let env: TestEnvironment;
let environment: Record<string, string>;
beforeAll(async () => {
  env = await createTestEnvironment();
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR } = env.config;
  environment = { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR };
});
afterAll(() => env?.close());

const tables = async () => {
  const { rows } = await env.postgres.pool.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  return rows.map(({ name }) => name);
};

const applied = async () => {
  const { rows } = await env.postgres.pool.query<{ name: string }>('select name from migrations order by id');
  return rows.map(({ name }) => name);
};

test('migrate down asks first, and migrate up restores every table', async () => {
  const before = await tables();
  const unconfirmed = await alfred(['migrate', 'down'], environment);
  expect({ code: unconfirmed.code, tables: await tables() }).toEqual({ code: 2, tables: before });
  expect(unconfirmed.stderr).toContain('--yes');
  const steps = await applied();
  expect(await alfred(['migrate', 'down', '--yes'], environment)).toMatchObject({
    code: 0,
    stdout: `took back ${steps.at(-1)}\n`,
  });
  expect(await applied()).toEqual(steps.slice(0, -1));
  while ((await tables()).includes('tasks')) await alfred(['migrate', 'down', '--yes'], environment);
  expect((await alfred(['migrate'], environment)).stdout).toContain('applied 0001_main-job');
  expect((await tables()).sort()).toEqual(before.sort());
  expect((await alfred(['migrate'], environment)).stdout).toBe('The schema is up to date.\n');
});

test('setup prepares Postgres and Temporal, and is safe to repeat', async () => {
  for (let time = 1; time <= 2; time++) {
    const { code, stderr } = await alfred(['setup'], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
  const namespace = env.config.TEMPORAL_NAMESPACE;
  const { customAttributes } = await env.connection.operatorService.listSearchAttributes({ namespace });
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(searchAttributeTypes)));
  expect((await env.client.schedule.getHandle(sweepScheduleId).describe()).scheduleId).toBe(sweepScheduleId);
});

test('a server that does not answer is named, without its password', async () => {
  const postgres = await alfred(['setup'], {
    ...environment,
    DATABASE_URL: 'postgres://alfred:hunter2@127.0.0.1:1/alfred',
  });
  expect(postgres.code).toBe(1);
  expect(postgres.stderr).toMatch(/Postgres does not answer at 127\.0\.0\.1:1\/alfred: .*\n.*DATABASE_URL/);
  expect(postgres.stderr).not.toContain('hunter2');
  const temporal = await alfred(['setup'], { ...environment, TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(temporal.code).toBe(1);
  expect(temporal.stderr).toMatch(/Temporal at 127\.0\.0\.1:1, namespace .*\n.*TEMPORAL_ADDRESS/);
});
