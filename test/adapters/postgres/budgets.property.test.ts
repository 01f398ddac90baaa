import { afterAll, beforeAll, test } from '@jest/globals';
import fc from 'fast-check';
import { scenarios } from '../../support/ledger/ledger-scenarios.ts';
import { enforceLimits } from '../../support/ledger/ledger-invariants.ts';
import { createLedgerHarness, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';
import { runScenario } from '../../support/ledger/run-scenario.ts';

/** The number of random scenarios. ALFRED_TEST_BUDGET_SCHEDULES=100000 searches longer. */
const count = Number(process.env.ALFRED_TEST_BUDGET_SCHEDULES || 600);
/** The number of scenarios that run at the same time, each on its own budgets. */
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
  `in ${count} random scenarios of calls, crashes, late answers, grants and resets no limit is exceeded and all sums are right`,
  async () => {
    const lane = () =>
      fc.assert(
        fc.asyncProperty(scenarios, (scenario) => runScenario(harness, scenario)),
        { numRuns: Math.ceil(count / lanes) },
      );
    // Waits for all lanes, also when one fails: the database is closed afterwards.
    for (const result of await Promise.allSettled(Array.from({ length: lanes }, lane)))
      if (result.status === 'rejected') throw result.reason;
  },
  120_000 + count * 400,
);
