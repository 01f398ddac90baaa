import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createModelGate } from '../../../adapters/postgres/ledger/model-gate.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

const facts = {
  name: 'scripted:model',
  price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  contextTokens: 1_000,
  maxOutputTokens: 100,
};
/** The gate of a worker: it shares only the database with others. */
const gateOf = () => createModelGate(env.postgres.db, { failures: 3, probeMs: 60_000 });
const readRow = async () =>
  (await env.postgres.pool.query<{ failures: number }>('select failures from model_gates')).rows[0];

test('a success asks the database nothing while its model was just seen healthy', async () => {
  const gate = gateOf();
  const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
  try {
    expect(await gate.enter(facts, 10)).toEqual({ open: true });
    await gateOf().recordFailure(facts.name);
    await gate.recordSuccess(facts.name, { tokens: 100, estimated: 100 });
    expect(await readRow()).toMatchObject({ failures: 1 });
  } finally {
    now.mockRestore();
  }
  // What this process itself has reported, it knows.
  await gate.recordFailure(facts.name);
  await gate.recordSuccess(facts.name, { tokens: 100, estimated: 100 });
  expect(await readRow()).toMatchObject({ failures: 0 });
});
