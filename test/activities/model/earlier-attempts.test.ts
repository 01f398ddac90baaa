import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  waitForEarlierAttempts,
  waitForInterruptedCalls,
  type EarlierAttemptsDeps,
} from '../../../activities/model/earlier-attempts.ts';
import type { CallLeases } from '../../../contract/ports/index.ts';

type State = Awaited<ReturnType<CallLeases['stateOf']>>;

const task = { taskId: 't', tenant: 'local', subject: 'local', agent: 'knowledge' };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Ports whose state a test sets while the code under test waits. */
function world(state: State) {
  const now = { state, open: ['call'], forgotten: 0, writtenOff: 0 };
  const deps = {
    ledger: {
      listOpenCalls: async () => now.open,
      writeOffOpenCalls: async () => void now.writtenOff++,
    },
    leases: { open: () => {}, hold: () => () => {}, stateOf: async () => now.state },
    workflows: { forgetWorker: async () => void now.forgotten++ },
    log: { warn: () => {} },
  } as unknown as EarlierAttemptsDeps;
  return { now, deps };
}

/** @returns after how many milliseconds the promise settled; undefined if it has not within `ms` */
async function settledAfter(promise: Promise<void>, ms: number): Promise<number | undefined> {
  let isSettled = false;
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  for (let elapsed = 0; elapsed <= ms; elapsed += 50) {
    await jest.advanceTimersByTimeAsync(elapsed === 0 ? 0 : 50);
    if (isSettled) return elapsed;
  }
  return undefined;
}

describe('the next attempt at a call', () => {
  const wait = (deps: EarlierAttemptsDeps, attempt = 2, signal = new AbortController().signal) =>
    waitForEarlierAttempts(deps, { task, at: { step: 1, attempt }, purpose: 'turn' }, signal);

  test('waits for one that runs, however long, and goes on when that is in the ledger', async () => {
    const { now, deps } = world('leased');
    const waiting = wait(deps);
    expect(await settledAfter(waiting, 300_000)).toBeUndefined();
    now.open = [];
    expect(await settledAfter(waiting, 300)).toBeDefined();
    expect(now.forgotten).toBe(0);
  });

  test('goes on a second after the one before is gone, and lets another worker have the workflow', async () => {
    const { now, deps } = world('free');
    expect(await settledAfter(wait(deps), 5_000)).toBe(1_000);
    expect(now.forgotten).toBe(1);
  });

  test('does not take a lost connection for a dead process', async () => {
    const { now, deps } = world('unsettled');
    const waiting = wait(deps);
    expect(await settledAfter(waiting, 2_000)).toBeUndefined();
    now.state = 'leased';
    expect(await settledAfter(waiting, 2_000)).toBeUndefined();
    // A short gap, then the lease is there again.
    now.state = 'free';
    expect(await settledAfter(waiting, 500)).toBeUndefined();
    now.state = 'leased';
    expect(await settledAfter(waiting, 300)).toBeUndefined();
    now.state = 'free';
    expect(await settledAfter(waiting, 2_000)).toBeGreaterThanOrEqual(1_000);
  });

  test('goes on in the end when the leases cannot be read, and stops when it is cancelled', async () => {
    const { deps } = world('unknown');
    expect(await settledAfter(wait(deps), 70_000)).toBeGreaterThanOrEqual(60_000);
    const cancelled = new AbortController();
    const waiting = wait(deps, 2, cancelled.signal);
    expect(await settledAfter(waiting, 1_000)).toBeUndefined();
    cancelled.abort(new Error('CANCELLED'));
    await expect(waiting).rejects.toThrow();
  });

  test('the first attempt waits for nothing', async () => {
    const { deps } = world('leased');
    expect(await settledAfter(wait(deps, 1), 0)).toBe(0);
  });
});

describe('the end of a task', () => {
  test('waits for a call that is being stopped, but not for ever', async () => {
    const { now, deps } = world('leased');
    const waiting = waitForInterruptedCalls(deps, task);
    expect(await settledAfter(waiting, 1_000)).toBeUndefined();
    now.open = [];
    expect(await settledAfter(waiting, 100)).toBeDefined();
    now.open = ['call'];
    expect(await settledAfter(waitForInterruptedCalls(deps, task), 10_000)).toBeLessThanOrEqual(5_100);
    expect(now.writtenOff).toBe(0);
  });

  test('counts the call of a dead worker with its worst case', async () => {
    const { now, deps } = world('free');
    expect(await settledAfter(waitForInterruptedCalls(deps, task), 5_000)).toBeLessThanOrEqual(1_100);
    expect(now.writtenOff).toBe(1);
  });
});
