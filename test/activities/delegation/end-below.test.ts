import { expect, test } from '@jest/globals';
import { endBelow, type EndBelowDeps } from '../../../activities/delegation/end-below.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { createMetrics } from '../../../runtime/metrics.ts';

const taskOf = (n: number): TaskRef => ({ taskId: `t${n}`, tenant: 'local', subject: 'ann', agent: 'helper' });
const root = taskOf(0);

/** Children that run, and end as soon as they are cancelled. */
function createChildren(count: number) {
  const open = new Map(Array.from({ length: count }, (_, n) => [`t${n + 1}`, taskOf(n + 1)]));
  const unsettled = new Map(open);
  const seen = { atOnce: 0, most: 0 };
  const deps = {
    tasks: {
      listOpenBelow: async () => [...open.values()],
      listStates: async ([id = '']) => [{ status: open.has(id) ? 'running' : 'cancelled' }],
      closeUnstarted: async () => false,
      get: async () => undefined,
      reconcile: async () => undefined,
    },
    workflows: {
      describe: async () => ({ status: 'running' }),
      cancelTask: async (taskId: string) => {
        seen.most = Math.max(seen.most, ++seen.atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        seen.atOnce--;
        open.delete(taskId);
      },
    },
    delegations: {
      listOpenBelow: async () =>
        [...unsettled.values()].map((child) => ({ parent: root, call: { step: 1, callId: 'c' }, child })),
      settle: async (_: TaskRef, __: unknown, { taskId }: { taskId: string }) => void unsettled.delete(taskId),
    },
    metrics: createMetrics(),
    log: { info: () => {}, warn: () => {} },
  } as unknown as EndBelowDeps;
  return { deps, open, unsettled, seen };
}

test('a thousand children end in one pass, several at the same time', async () => {
  const { deps, open, unsettled, seen } = createChildren(1_000);
  expect(await endBelow(deps, root)).toBe(0);
  expect([open.size, unsettled.size]).toEqual([0, 0]);
  expect(seen.most).toBe(8);
});

test('a pass whose time is over leaves the rest to the next one, and says that there is some', async () => {
  const { deps, open, unsettled } = createChildren(3);
  expect(await endBelow(deps, root, { withinMs: 0 })).toBeGreaterThan(0);
  expect([open.size, unsettled.size]).toEqual([3, 3]);
  expect(await endBelow(deps, root)).toBe(0);
  expect([open.size, unsettled.size]).toEqual([0, 0]);
});
