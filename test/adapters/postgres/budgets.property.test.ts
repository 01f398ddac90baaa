import { afterAll, beforeAll, test } from '@jest/globals';
import fc from 'fast-check';
import { scenarios } from '../../support/ledger/ledger-scenarios.ts';
import { enforceLimits } from '../../support/ledger/ledger-invariants.ts';
import { createLedgerHarness, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';
import { runScenario } from '../../support/ledger/run-scenario.ts';

/** ALFRED_TEST_BUDGET_SCHEDULES=100000 looks longer. */
const count = Number(process.env.ALFRED_TEST_BUDGET_SCHEDULES || 2_000);
/** Schedules that run at the same time, on budgets of their own. */
const lanes = 4;

let harness: LedgerHarness;

beforeAll(async () => {
  harness = await createLedgerHarness();
  await enforceLimits(harness.pool);
});
afterAll(async () => {
  await harness?.close();
});

test(
  `in ${count} random schedules of calls, crashes, late answers, grants and resets no limit is passed and the books are right`,
  async () => {
    const lane = () =>
      fc.assert(
        fc.asyncProperty(scenarios, (schedule) => runScenario(harness, schedule)),
        { numRuns: Math.ceil(count / lanes) },
      );
    // All of them end before the database goes away, whichever fails.
    for (const ended of await Promise.allSettled(Array.from({ length: lanes }, lane)))
      if (ended.status === 'rejected') throw ended.reason;
  },
  60_000 + count * 200,
);
