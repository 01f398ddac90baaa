import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { startFakeQdrant } from '../support/fakes/fake-qdrant.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { alfred } from './run-alfred.ts';

let env: TestEnvironment;
let fake: Awaited<ReturnType<typeof startFakeQdrant>>;
const tenants = ['ann & co', 'local'];
beforeAll(async () => {
  env = await createTestEnvironment();
  fake = await startFakeQdrant({ key: 'sesame' });
  for (const tenant of tenants)
    await putDocument(env.postgres.db, 'a.txt', 'Granite lasts.', { scope: { tenant, subject: 'local' } });
});
afterAll(async () => {
  await fake?.close();
  await env?.close();
});

function run(variables: Record<string, string>, ...args: string[]) {
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR } = env.config;
  return alfred(['index', ...args], {
    DATABASE_URL,
    TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE,
    ALFRED_DATA_DIR,
    NO_COLOR: '1',
    ALFRED_EMBEDDINGS: 'none',
    ...variables,
  });
}

test('snapshots of the embedded index are a file per tenant, of Qdrant one file', async () => {
  const [embedded, qdrant] = [{}, { QDRANT_URL: fake.url, VECTOR_DB_KEY: 'sesame' }];
  const [one, two] = ['one', 'two'].map((name) => join(env.config.ALFRED_DATA_DIR, name)) as [string, string];
  const saved = await Promise.all([run(embedded, 'snapshot', one), run(qdrant, 'snapshot', two)]);
  expect(saved.map(({ code }) => code)).toEqual([0, 0]);
  expect((await readdir(one)).sort()).toEqual(['ann%20%26%20co.index', 'local.index']);
  expect(await readdir(two)).toEqual(['all%20tenants.index']);

  fake.collections.clear();
  fake.aliases.clear();
  const [wrong, again, restored] = await Promise.all([
    run(qdrant, 'restore', one),
    run(embedded, 'snapshot', one),
    run(qdrant, 'restore', two),
  ]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('which is saved as all tenants') });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('never replaces another') });
  expect(restored).toMatchObject({ code: 0, stdout: 'all tenants: restored\n' });
  const [rebuilt, verified] = await Promise.all([run(qdrant, 'rebuild'), run(embedded, 'verify')]);
  expect(rebuilt).toMatchObject({ code: 0, stdout: 'all tenants: built again\n' });
  expect(verified).toMatchObject({ code: 0, stdout: 'The index holds what Postgres holds.\n' });
  expect(fake.collections.size).toBe(1);
});

test('a command without Qdrant’s key says which variable to set, in one sentence', async () => {
  for (const wrong of [{}, { VECTOR_DB_KEY: 'open' }]) {
    const { code, stderr, stdout } = await run({ QDRANT_URL: fake.url, ...wrong }, 'status');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim()).toMatch(/^Qdrant at \S+ refuses us \(40[13]\): put its API key into VECTOR_DB_KEY\.$/);
  }
});
