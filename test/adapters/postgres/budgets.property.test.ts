import { afterAll, beforeAll, test } from '@jest/globals';
import fc from 'fast-check';
import { schedules } from '../../support/ledger/ledger-scenarios.ts';
import { watchLimits } from '../../support/ledger/ledger-invariants.ts';
import { createLedgerBench, type LedgerBench } from '../../support/ledger/ledger-harness.ts';
import { runSchedule } from '../../support/ledger/run-scenario.ts';

/** ALFRED_TEST_BUDGET_SCHEDULES=100000 looks longer. */
const count = Number(process.env.ALFRED_TEST_BUDGET_SCHEDULES || 2_000);
/** Schedules that run at the same time, on budgets of their own. */
const lanes = 4;

let bench: LedgerBench;

beforeAll(async () => {
  bench = await createLedgerBench();
  await watchLimits(bench.pool);
});
afterAll(async () => {
  await bench?.close();
});

test(
  `in ${count} random schedules of calls, crashes, late answers, grants and resets no limit is passed and the books are right`,
  async () => {
    const lane = () =>
      fc.assert(
        fc.asyncProperty(schedules, (schedule) => runSchedule(bench, schedule)),
        { numRuns: Math.ceil(count / lanes) },
      );
    // All of them end before the database goes away, whichever fails.
    for (const ended of await Promise.allSettled(Array.from({ length: lanes }, lane)))
      if (ended.status === 'rejected') throw ended.reason;
  },
  60_000 + count * 200,
);
