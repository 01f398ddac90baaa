import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createModelGate } from '../../../adapters/postgres/ledger/model-gate.ts';
import type { ModelFacts } from '../../../contract/ports/index.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { until } from '../../support/until.ts';

let env: TestEnvironment;
let number = 0;
let model: string;
const outcome = { tokens: 100, estimated: 100 };

beforeAll(async () => {
  env = await createTestEnvironment();
});
beforeEach(() => {
  model = `scripted:model-${++number}`;
});
afterAll(() => env?.close());

const facts = (limits: Partial<ModelFacts> = {}): ModelFacts => ({
  name: model,
  price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  contextTokens: 1_000,
  maxOutputTokens: 100,
  ...limits,
});
/** The gate of another worker: it shares only the database with the others. */
const gateOf = (options: Partial<Parameters<typeof createModelGate>[1]> = {}) =>
  createModelGate(env.postgres.db, { failures: 3, probeMs: 60_000, ...options });
/** The row with the transactions that wrote it last (`xmin`) and locked it last (`xmax`). */
const readRow = async () => {
  const { rows } = await env.postgres.pool.query<Record<string, unknown>>(
    'select xmin::text, xmax::text, * from model_gates where model = $1',
    [model],
  );
  return rows[0];
};
/** Moves the row's times back, as if so many seconds had passed. */
const advanceClock = (seconds: number) =>
  env.postgres.pool.query(
    `update model_gates set refilled_at = refilled_at - $2 * interval '1 s', failed_at = failed_at - $2 * interval '1 s',
       probe_at = probe_at - $2 * interval '1 s', blocked_until = blocked_until - $2 * interval '1 s' where model = $1`,
    [model, seconds],
  );
const openCircuit = async () => {
  const gate = gateOf();
  return [await gate.recordFailure(model), await gate.recordFailure(model), await gate.recordFailure(model)];
};

describe('a healthy model', () => {
  test('needs no row, and no write to its row', async () => {
    const gate = gateOf();
    expect(await gate.enter(facts(), 100)).toMatchObject({ open: true });
    await gate.recordSuccess(model, { tokens: 80, estimated: 100 });
    expect(await readRow()).toBeUndefined();

    await gate.recordFailure(model);
    await gate.recordSuccess(model, outcome);
    const before = await readRow();
    expect(before).toMatchObject({ failures: 0, open_since: null });
    expect(await gate.enter(facts(), 100)).toMatchObject({ open: true });
    await gate.recordSuccess(model, { tokens: 80, estimated: 100 });
    expect(await readRow()).toEqual(before);
  });
});

test('a process that has just seen a healthy model learns within a moment what another one reports', async () => {
  const [gate, other] = [gateOf(), gateOf()];
  expect(await gate.enter(facts(), 1)).toMatchObject({ open: true });
  await other.recordFailure(model, 'auth');
  const isOutage = async () => !(await gate.enter(facts(), 1)).open;
  await until('the circuit is seen', isOutage, { withinMs: 2_000 });
});

describe('the circuit', () => {
  test('opens after the configured number of failures in a row, for all workers', async () => {
    expect(await openCircuit()).toEqual([false, false, true]);
    expect(await gateOf().enter(facts(), 1)).toEqual({ open: false, reason: 'outage' });
    expect(await gateOf().enter({ ...facts(), name: `${model}-other` }, 1)).toMatchObject({ open: true });
  });

  test('stays closed when a success or a minute lies between the failures', async () => {
    const gate = gateOf();
    await gate.recordFailure(model);
    await gate.recordFailure(model);
    await gate.recordSuccess(model, outcome);
    await gate.recordFailure(model);
    expect(await gate.recordFailure(model)).toBe(false);
    await advanceClock(61);
    expect(await gate.recordFailure(model)).toBe(false);
    expect(await gate.recordFailure(model)).toBe(false);
    expect(await gate.recordFailure(model)).toBe(true);
  });

  test.each([
    ['without limits', {}],
    ['with limits', { requestsPerMinute: 100, tokensPerMinute: 1_000_000 }],
  ])('lets exactly one caller through as the probe each time one is due, %s', async (_, limits) => {
    await openCircuit();
    for (let round = 1; round <= 3; round++) {
      await advanceClock(61);
      const gates = Array.from({ length: 40 }, () => gateOf());
      const entries = await Promise.all(gates.map((gate) => gate.enter(facts(limits), 10)));
      expect(entries.filter(({ open }) => open)).toHaveLength(1);
      expect(entries.filter((entry) => !entry.open && entry.reason === 'outage')).toHaveLength(39);
      // The probe fails: nothing changes for the other workers.
      expect(await gateOf().recordFailure(model)).toBe(true);
      expect(await gateOf().enter(facts(limits), 10)).toEqual({ open: false, reason: 'outage' });
    }
  });

  test('does not delay its next probe when earlier calls fail late', async () => {
    await openCircuit();
    const { probe_at: due } = (await readRow()) ?? {};
    await gateOf().recordFailure(model);
    expect((await readRow())?.['probe_at']).toEqual(due);
  });

  test('closes with one response, and earlier failures no longer count', async () => {
    await openCircuit();
    await gateOf().recordSuccess(model, outcome);
    expect(await gateOf().enter(facts(), 1)).toMatchObject({ open: true });
    expect(await gateOf().recordFailure(model)).toBe(false);
  });

  test('opens when requests of several steps are denied, and not for one step alone', async () => {
    const gate = gateOf();
    for (const denials of [1, 2, 3, 4]) expect(await gate.recordDenial(model, denials)).toBe(false);
    await gate.recordSuccess(model, outcome);
    // Another call has succeeded since: it is this request that is denied, and its task fails.
    expect(await gate.recordDenial(model, 5)).toBe(false);
    expect(await gate.enter(facts(), 1)).toMatchObject({ open: true });
    expect([await gate.recordDenial(model, 1), await gate.recordDenial(model, 1)]).toEqual([false, false]);
    expect(await gate.recordDenial(model, 1)).toBe(true);
  });

  test('opens for one step whose denials are used up while no other call succeeds, until one does', async () => {
    const logLines: string[] = [];
    const log = { warn: (_: unknown, text?: string) => logLines.push(`${text}`), info: () => {} };
    const gate = gateOf({ log });
    await gate.recordDenial(model, 1);
    expect(await gate.recordDenial(model, 5)).toBe(true);
    expect(await gate.enter(facts(), 1)).toEqual({ open: false, reason: 'outage' });
    const { probe_at: due } = (await readRow()) ?? {};
    // As a probe it is denied again.
    expect(await gate.recordDenial(model, 5)).toBe(true);
    expect((await readRow())?.['probe_at']).toEqual(due);
    expect(logLines).toEqual([expect.stringContaining('no other call succeeds')]);
    await gate.recordSuccess(model, outcome);
    expect(await gate.recordDenial(model, 5)).toBe(false);
    expect(await gate.enter(facts(), 1)).toMatchObject({ open: true });
  });

  test('opens once for many concurrent failures, with one log line and one count', async () => {
    const metrics = createMetrics();
    const logLines: string[] = [];
    const log = {
      warn: (_: unknown, text?: string) => logLines.push(`${text}`),
      info: (_: unknown, text?: string) => logLines.push(`${text}`),
    };
    const gates = Array.from({ length: 20 }, () => gateOf({ metrics, log }));
    const open = await Promise.all(gates.map((gate) => gate.recordFailure(model)));
    expect(open.filter((isOpen) => !isOpen)).toHaveLength(2);
    await Promise.all(gates.map((gate) => gate.recordSuccess(model, outcome)));
    expect(logLines).toEqual([expect.stringContaining('does not answer'), expect.stringContaining('answers again')]);
    expect((await metrics.modelCircuitOpened.get()).values).toEqual([{ labels: { model }, value: 1 }]);
    expect((await metrics.modelCircuitOpen.get()).values).toEqual([{ labels: { model }, value: 0 }]);
  });
});

describe('the limits', () => {
  test.each([
    ['requests', { requestsPerMinute: 10 }, 1, 10],
    ['tokens', { tokensPerMinute: 1_000 }, 90, 11],
    ['the tighter of both', { requestsPerMinute: 10, tokensPerMinute: 500 }, 90, 5],
  ])('are never exceeded by concurrent callers: %s', async (_, limits, tokens, fit) => {
    const gates = Array.from({ length: 60 }, () => gateOf());
    const entries = await Promise.all(gates.map((gate) => gate.enter(facts(limits), tokens)));
    expect(entries.filter(({ open }) => open)).toHaveLength(fit);
    for (const entry of entries) {
      if (entry.open) continue;
      if (entry.reason !== 'rate') throw new Error(entry.reason);
      expect(entry.retryAfterMs).toBeGreaterThan(0);
      expect(entry.retryAfterMs).toBeLessThanOrEqual(60_000);
    }
    const { requests_left: requests, tokens_left: left } = (await readRow()) ?? {};
    for (const rest of [requests, left]) if (rest !== null) expect(rest).toBeGreaterThanOrEqual(0);
  });

  test('refill continuously up to the limit of a minute, and report the time until there is room', async () => {
    const gate = gateOf();
    const limited = facts({ requestsPerMinute: 60, tokensPerMinute: 6_000 });
    expect(await gate.enter(limited, 6_000)).toMatchObject({ open: true });
    const wait = await gate.enter(limited, 3_000);
    if (wait.open || wait.reason !== 'rate') throw new Error('no wait');
    // 30 s are missing. Up to a fifth is added as jitter.
    expect(wait.retryAfterMs).toBeGreaterThan(28_000);
    expect(wait.retryAfterMs).toBeLessThanOrEqual(36_200);
    await advanceClock(31);
    expect(await gate.enter(limited, 3_000)).toMatchObject({ open: true });
    await advanceClock(3_600);
    expect(await gate.enter(limited, 6_000)).toMatchObject({ open: true });
    expect(await gate.enter(limited, 1_000)).toMatchObject({ reason: 'rate' });
  });

  test('let a call larger than the limit of a minute pass when the bucket is full, which then goes below zero', async () => {
    const gate = gateOf();
    const limited = facts({ tokensPerMinute: 1_000 });
    expect(await gate.enter(limited, 10)).toMatchObject({ open: true });
    expect(await gate.enter(limited, 3_000)).toMatchObject({ reason: 'rate' });
    await advanceClock(60);
    expect(await gate.enter(limited, 3_000)).toMatchObject({ open: true });
    expect((await gate.enter(limited, 1_000)) as { retryAfterMs: number }).toMatchObject({ reason: 'rate' });
    await advanceClock(110);
    expect(await gate.enter(limited, 10)).toMatchObject({ reason: 'rate' });
    await advanceClock(20);
    expect(await gate.enter(limited, 10)).toMatchObject({ open: true });
  });

  test('count what a call used, once that is known, instead of the estimate', async () => {
    const gate = gateOf();
    const limited = facts({ tokensPerMinute: 1_000 });
    expect(await gate.enter(limited, 900)).toMatchObject({ open: true });
    expect(await gate.enter(limited, 500)).toMatchObject({ reason: 'rate' });
    await gate.recordSuccess(model, { tokens: 100, estimated: 900 });
    expect(await gate.enter(limited, 500)).toMatchObject({ open: true });
    await gate.recordSuccess(model, { tokens: 5_000, estimated: 500 });
    expect(await gate.enter(limited, 1)).toMatchObject({ reason: 'rate' });
  });

  test('are learned from a response, with the rest that it reports, by all workers', async () => {
    const limits = { requestsPerMinute: 50, tokensPerMinute: 10_000, requestsLeft: 2, tokensLeft: 9_000 };
    await gateOf().recordSuccess(model, { ...outcome, limits });
    const [first, second] = [gateOf(), gateOf()];
    expect(await first.enter(facts(), 100)).toMatchObject({ open: true });
    expect(await second.enter(facts(), 100)).toMatchObject({ open: true });
    expect(await first.enter(facts(), 100)).toMatchObject({ reason: 'rate' });
    expect(await second.enter(facts(), 100)).toMatchObject({ reason: 'rate' });
  });

  test('that a response repeats unchanged are not written again', async () => {
    const gate = gateOf();
    const limits = { requestsPerMinute: 50, requestsLeft: 49 };
    await gate.recordSuccess(model, { ...outcome, limits });
    const before = await readRow();
    await gate.recordSuccess(model, { ...outcome, limits: { ...limits, requestsLeft: 12 } });
    await gateOf().recordSuccess(model, { ...outcome, limits });
    expect(await readRow()).toEqual(before);
    await gate.recordSuccess(model, { ...outcome, limits: { requestsPerMinute: 70 } });
    expect(await readRow()).toMatchObject({ requests_per_minute: 70 });
  });

  test('from responses never override configured ones, and apply where none is configured', async () => {
    const gate = gateOf();
    await gate.recordSuccess(model, { ...outcome, limits: { requestsPerMinute: 1_000, tokensPerMinute: 500 } });
    const limited = facts({ requestsPerMinute: 3 });
    const entries = await Promise.all(Array.from({ length: 10 }, () => gateOf().enter(limited, 1)));
    expect(entries.filter(({ open }) => open)).toHaveLength(3);
    await advanceClock(60);
    expect(await gate.enter(limited, 400)).toMatchObject({ open: true });
    expect(await gate.enter(limited, 400)).toMatchObject({ reason: 'rate' });
    // A configured limit that is higher overrides too.
    await advanceClock(60);
    const wider = facts({ requestsPerMinute: 3, tokensPerMinute: 100_000 });
    expect(await gate.enter(wider, 400)).toMatchObject({ open: true });
  });

  test('block every caller until the time of a 429 is over, and none after it', async () => {
    await gateOf().recordRateLimit(model, 30_000);
    await gateOf().recordRateLimit(model, 10_000);
    for (const limited of [facts(), facts({ requestsPerMinute: 100 })]) {
      const wait = await gateOf().enter(limited, 1);
      if (wait.open || wait.reason !== 'rate') throw new Error('no wait');
      expect(wait.retryAfterMs).toBeGreaterThan(20_000);
      expect(wait.retryAfterMs).toBeLessThanOrEqual(36_200);
    }
    await advanceClock(31);
    expect(await gateOf().enter(facts(), 1)).toMatchObject({ open: true });
  });

  test('report waits of at most a minute, also when the provider asks for longer', async () => {
    await gateOf().recordRateLimit(model, 86_400_000);
    const wait = await gateOf().enter(facts(), 1);
    expect(wait).toMatchObject({ reason: 'rate' });
    expect((wait as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(60_000);
    await advanceClock(3_601);
    expect(await gateOf().enter(facts(), 1)).toMatchObject({ open: true });
  });

  test('take nothing for a call that is not let through', async () => {
    const gate = gateOf();
    const limited = facts({ requestsPerMinute: 2, tokensPerMinute: 1_000 });
    expect(await gate.enter(limited, 800)).toMatchObject({ open: true });
    for (let i = 0; i < 5; i++) expect(await gate.enter(limited, 800)).toMatchObject({ reason: 'rate' });
    expect(await gate.enter(limited, 100)).toMatchObject({ open: true });
  });
});
