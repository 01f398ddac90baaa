import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { withHeartbeat } from '../../activities/activity-context.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => void jest.useRealTimers());

test('silent work heartbeats every second until a cancellation aborts it', async () => {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const heartbeats = jest.fn();
  environment.on('heartbeat', heartbeats);
  const running = environment.run(async () => {
    const work = withHeartbeat(
      (signal) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    );
    // Here, because fake timers call back in the context in which time is advanced.
    jest.advanceTimersByTime(3_500);
    return work;
  });
  expect(heartbeats).toHaveBeenCalledTimes(3);
  environment.cancel();
  await expect(running).rejects.toThrow('aborted');
  expect(jest.getTimerCount()).toBe(0);
});
