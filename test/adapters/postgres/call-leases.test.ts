import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { v7 as newId } from 'uuid';
import { createCallLeases } from '../../../adapters/postgres/ledger/call-leases.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { until } from '../../support/until.ts';

type Leases = ReturnType<typeof createCallLeases>;

let env: TestEnvironment;
let reader: Leases;
const opened: Leases[] = [];
const open = () => {
  const leases = createCallLeases(() => env.config.DATABASE_URL, env.log);
  opened.push(leases);
  return leases;
};

beforeAll(async () => {
  env = await createTestEnvironment();
  reader = createCallLeases(() => env.config.DATABASE_URL, env.log);
  reader.open();
  await until('a reader is certain', () => reader.stateOf([newId()]), { accept: (state) => state === 'free' });
});
afterEach(async () => {
  for (const leases of opened.splice(0)) await leases.close();
});
afterAll(async () => {
  await reader?.close();
  await env?.close();
});

const reaches = (callIds: string[], expected: string) =>
  until(`the state is ${expected}`, () => reader.stateOf(callIds), { accept: (state) => state === expected });

test('a call has a lease until it is given back; one of several is enough', async () => {
  const leases = open();
  const [first, second, other] = [newId(), newId(), newId()];
  const endFirst = leases.hold(first);
  const endSecond = leases.hold(second);
  await reaches([first], 'leased');
  await reaches([second, other], 'leased');
  expect(await reader.stateOf([other])).toBe('free');
  endFirst();
  await reaches([first], 'free');
  expect(await reader.stateOf([second])).toBe('leased');
  endSecond();
  endSecond();
  await reaches([first, second, other], 'free');
});

test('two attempts at one call hold its lease together: the end of one leaves it to the other', async () => {
  const leases = open();
  const [call, marker] = [newId(), newId()];
  const endFirst = leases.hold(call);
  const endSecond = leases.hold(call);
  const endMarker = leases.hold(marker);
  await reaches([call], 'leased');
  await reaches([marker], 'leased');
  endFirst();
  endFirst();
  endMarker();
  // What is given back is freed together.
  await reaches([marker], 'free');
  expect(await reader.stateOf([call])).toBe('leased');
  endSecond();
  await reaches([call], 'free');
});

test('a lease that is given back before it was taken is not held', async () => {
  const leases = open();
  const [dropped, kept] = [newId(), newId()];
  leases.hold(dropped)();
  leases.hold(kept);
  await reaches([kept], 'leased');
  expect(await reader.stateOf([dropped])).toBe('free');
});

test('the leases of a process that is gone are free', async () => {
  const leases = open();
  const call = newId();
  leases.hold(call);
  await reaches([call], 'leased');
  await leases.close();
  await reaches([call], 'free');
});

test('a process whose connection was cut takes its leases again, and is certain of others only later', async () => {
  const leases = open();
  const call = newId();
  leases.hold(call);
  await reaches([call], 'leased');
  await env.postgres.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'alfred leases' and datname = current_database()`,
  );
  // The reader does not take the lease for free in between.
  const seen = new Set<string>();
  await until('the lease is seen again', () => reader.stateOf([call]), {
    accept: (state) => {
      seen.add(state);
      return state === 'leased';
    },
  });
  expect(seen).not.toContain('free');
  // Of a lease that it does not see, it is certain again after a while.
  expect(await reader.stateOf([newId()])).toBe('unsettled');
  await reaches([newId()], 'free');
});

test('a process that starts later than Postgres is certain at once', async () => {
  const isOld = `select pg_postmaster_start_time() < clock_timestamp() - interval '4 seconds' as "isOld"`;
  await until('Postgres has been running for a while', async () => {
    const { rows } = await env.postgres.pool.query<{ isOld: boolean }>(isOld);
    return rows[0]?.isOld;
  });
  const seen = new Set<string>();
  const starting = open();
  starting.open();
  await until('its session is open', () => starting.stateOf([newId()]), {
    accept: (state) => {
      seen.add(state);
      return state !== 'unknown';
    },
  });
  expect(seen).not.toContain('unsettled');
});
