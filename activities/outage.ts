import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { withHeartbeat } from './activity-context.ts';
import type { ParkedTasks, Workflows } from '../contract/ports/index.ts';

export type OutageDeps = {
  parked: ParkedTasks;
  workflows: Pick<Workflows, 'release'>;
  /** Tasks released per second when a model answers again. */
  drainPerS: number;
  metrics: Metrics;
  log: Logger;
};

/** Duration of one activity, in milliseconds. Short, because its worker may be asked to stop at any time. */
const activityMs = 10_000;
/** Longest time between two reads of the circuit, in milliseconds. */
const pollMs = 1_000;
const shortPollMs = 50;
/**
 * How long a task that was released as the probe may take to reach the gate before another one is sent, in
 * milliseconds.
 */
const probeArrivalMs = 10_000;

type Circuit = Awaited<ReturnType<ParkedTasks['circuit']>>;

export const createOutageActivities = ({ parked, workflows, drainPerS, metrics, log }: OutageDeps) => ({
  /**
   * Releases parked tasks for some seconds. While the circuit is open, releases one task as a probe whenever a probe is
   * due; once it is closed, releases all of them at the configured rate.
   *
   * @returns when the time is over or no task is parked: how many are parked, and whether the model's circuit is open
   */
  releaseParkedTasks: ({ model }: { model: string }): Promise<{ parked: number; open: boolean; released: number }> =>
    withHeartbeat(async (signal) => {
      const end = performance.now() + activityMs;
      let released = 0;
      while (true) {
        const circuit = await parked.circuit(model);
        metrics.modelCircuitOpen.set({ model }, circuit.open ? 1 : 0);
        metrics.tasksParked.set({ model }, circuit.parked);
        if (circuit.parked === 0 || performance.now() > end) {
          if (released > 0) log.info({ model, released, parked: circuit.parked }, 'parked tasks were told to go on');
          return { parked: circuit.parked, open: circuit.open, released };
        }
        const { count, waitMs } = nextRelease(circuit, drainPerS);
        const taskIds = count > 0 ? await parked.release(model, count) : [];
        await Promise.all(taskIds.map((taskId) => release(taskId)));
        metrics.tasksReleased.inc({ model }, taskIds.length);
        released += taskIds.length;
        // The parked tasks were released before, but have not removed their rows yet.
        const areAllReleased = count > 0 && taskIds.length === 0;
        await sleep(areAllReleased ? pollMs : waitMs, undefined, { signal });
      }

      async function release(taskId: string) {
        try {
          await workflows.release(taskId);
        } catch (error) {
          // The task is still parked, so it will be released again.
          log.warn({ err: error, taskId, model }, 'a parked task could not be told to go on');
        }
      }
    }),
});

/**
 * How many tasks to release now, and when to check again. The time of the last release is in the rows, so the rate is
 * the same after a restart.
 */
export function nextRelease(
  { open, probeInMs, releasedMsAgo }: Omit<Circuit, 'parked'>,
  drainPerS: number,
): { count: number; waitMs: number } {
  if (open) {
    if (probeInMs > 0) return { count: 0, waitMs: Math.min(Math.ceil(probeInMs), pollMs) };
    const isProbeOnItsWay = releasedMsAgo < Math.min(-probeInMs, probeArrivalMs);
    return { count: isProbeOnItsWay ? 0 : 1, waitMs: shortPollMs };
  }
  const intervalMs = 1_000 / drainPerS;
  const due = Math.floor(releasedMsAgo / intervalMs);
  if (due < 1) return { count: 0, waitMs: Math.min(Math.ceil(intervalMs - releasedMsAgo), pollMs) };
  // Releases that were missed during a pause are not made up for.
  const maxAtOnce = Math.max(1, Math.floor((2 * shortPollMs) / intervalMs));
  return { count: Math.min(due, maxAtOnce), waitMs: Math.min(Math.max(Math.ceil(intervalMs), shortPollMs), pollMs) };
}
