import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { withHeartbeat } from './activity-context.ts';
import type { ParkedTasks, Workflows } from '../contract/ports/index.ts';

export type OutageDeps = {
  parked: ParkedTasks;
  workflows: Pick<Workflows, 'release'>;
  /** When a model is back: tasks that go on each second. */
  drainPerS: number;
  metrics: Metrics;
  log: Logger;
};

/** One run of the activity, in milliseconds: its worker may be asked to stop at any time. */
const shiftMs = 10_000;
/** Nothing that happens is noticed later than this, in milliseconds. */
const pollMs = 1_000;
const shortPollMs = 50;
/** A task that was let go as the probe has so long to reach the gate before another one is sent, in milliseconds. */
const arrivalMs = 10_000;

type Circuit = Awaited<ReturnType<ParkedTasks['circuit']>>;

export const createOutageActivities = ({ parked, workflows, drainPerS, metrics, log }: OutageDeps) => ({
  /**
   * Lets parked tasks go: one as the probe whenever one is due, all of them at their pace once the circuit is closed.
   *
   * @returns after a while, or when none is parked: how many still are, and whether the model's circuit is open
   */
  letTasksGo: ({ model }: { model: string }): Promise<{ parked: number; open: boolean; released: number }> =>
    withHeartbeat(async (signal) => {
      const end = performance.now() + shiftMs;
      let released = 0;
      while (true) {
        const state = await parked.circuit(model);
        metrics.modelCircuitOpen.set({ model }, state.open ? 1 : 0);
        metrics.tasksParked.set({ model }, state.parked);
        if (state.parked === 0 || performance.now() > end) {
          if (released > 0) log.info({ model, released, parked: state.parked }, 'parked tasks were told to go on');
          return { parked: state.parked, open: state.open, released };
        }
        const { count, waitMs } = nextRelease(state, drainPerS);
        const tasks = count > 0 ? await parked.release(model, count) : [];
        await Promise.all(tasks.map((taskId) => release(taskId)));
        metrics.tasksReleased.inc({ model }, tasks.length);
        released += tasks.length;
        // Those that were told to go have not left yet.
        const nobodyToTell = count > 0 && tasks.length === 0;
        await sleep(nobodyToTell ? pollMs : waitMs, undefined, { signal });
      }

      async function release(taskId: string) {
        try {
          await workflows.release(taskId);
        } catch (error) {
          // It is still parked, so it has its turn again.
          log.warn({ err: error, taskId, model }, 'a parked task could not be told to go on');
        }
      }
    }),
});

/** How many tasks go now, and when to look again. The pace is kept in the rows, so a restart does not change it. */
export function nextRelease(
  { open, probeInMs, releasedMsAgo }: Omit<Circuit, 'parked'>,
  drainPerS: number,
): { count: number; waitMs: number } {
  if (open) {
    if (probeInMs > 0) return { count: 0, waitMs: Math.min(Math.ceil(probeInMs), pollMs) };
    const isOnItsWay = releasedMsAgo < Math.min(-probeInMs, arrivalMs);
    return { count: isOnItsWay ? 0 : 1, waitMs: shortPollMs };
  }
  const intervalMs = 1_000 / drainPerS;
  const due = Math.floor(releasedMsAgo / intervalMs);
  if (due < 1) return { count: 0, waitMs: Math.min(Math.ceil(intervalMs - releasedMsAgo), pollMs) };
  // After a pause there is nothing to make up for.
  const atOnce = Math.max(1, Math.floor((2 * shortPollMs) / intervalMs));
  return { count: Math.min(due, atOnce), waitMs: Math.min(Math.max(Math.ceil(intervalMs), shortPollMs), pollMs) };
}
