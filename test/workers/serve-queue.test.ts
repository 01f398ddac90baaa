import { expect, test } from '@jest/globals';
import type { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { ConditionWatch } from '../../runtime/condition-watch.ts';
import { serveQueue } from '../../workers/serve-queue.ts';
import { until } from '../support/until.ts';

/** A condition that the test changes. */
function changingCondition() {
  let holds = true;
  const waiting = new Set<() => void>();
  const set = (to: boolean) => {
    holds = to;
    for (const check of waiting) check();
  };
  const untilHolds = (wanted: boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (holds !== wanted) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { set, watch: { holds: () => holds, until: untilHolds } as unknown as ConditionWatch };
}

test('a condition that changes again and again leaves few workers at once, and the last one fits it', async () => {
  const { set, watch } = changingCondition();
  const made: { takesActivities: boolean; isShutDown: boolean; end: () => void }[] = [];
  const make = async (takesActivities: boolean) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const worker = { takesActivities, isShutDown: false, end: resolve };
    made.push(worker);
    const shutdown = () => {
      worker.isShutDown = true;
    };
    // It ends when its last activity does.
    return {
      run: () => promise,
      getState: () => (worker.isShutDown ? 'DRAINING' : 'RUNNING'),
      shutdown,
    } as unknown as Worker;
  };
  const served = await serveQueue(make, { condition: watch, log: pino({ level: 'silent' }), queue: 'q' });
  const serving = (takesActivities: boolean, count: number) =>
    until(`worker ${count} serves`, () => made.length === count && made.at(-1)?.takesActivities === takesActivities);
  set(false);
  await serving(false, 2);
  set(true);
  await serving(true, 3);
  for (let n = 0; n < 10; n++) set(n % 2 === 1);
  set(false);
  await new Promise((resolve) => setImmediate(resolve));
  expect(made.map(({ isShutDown }) => isShutDown)).toEqual([true, true, false]);
  made[0]?.end();
  await serving(false, 4);
  served.stop();
  for (const { end } of made) end();
  await served.run;
});
