import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import type { ConditionWatch } from '../runtime/condition-watch.ts';
import type { Logger } from '../runtime/logger.ts';

/** Makes a worker of one queue. @param takesActivities false: it takes workflow tasks only, and their row writes */
type MakeWorker = (takesActivities: boolean) => Promise<Worker>;
type Options = {
  /** Absent when the queue needs nothing that a process may lack. */
  condition?: ConditionWatch | undefined;
  log: Logger;
  queue: string;
};

/** Pauses between attempts to make a worker, in milliseconds. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** So many workers of a queue may end their activities at once. Each has threads and caches of its own. */
const maxDraining = 2;

/**
 * Serves one queue until it is stopped. While `condition` does not hold, the process takes no activities of the queue:
 * they wait for it, or for another process. Workflows go on, so that a task that waits can say why.
 *
 * Temporal's SDK refuses a second worker of a queue in a process until the shutdown of the first one begins. From then
 * on the next one may run beside it, so workflows do not wait for activities that take long to end. When the condition
 * changes again and again meanwhile, the present worker stays until few of those before it are left.
 *
 * @returns `run` rejects when a worker ends without being asked to
 * @throws when the first worker cannot be made; later ones are tried again
 */
export async function serveQueue(make: MakeWorker, { condition, log, queue }: Options) {
  let takesActivities = condition?.holds() ?? true;
  let worker = await make(takesActivities);
  const stopping = new AbortController();
  /** Workers that take nothing more, and whose last activities have the grace time of a shutdown. */
  const draining = new Set<Promise<void>>();

  const shutDown = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };

  const drain = (running: Promise<void>) => {
    shutDown();
    const drained = running
      .catch((error: unknown) => log.warn({ err: error, queue }, 'activities did not end in their grace time'))
      .finally(() => draining.delete(drained));
    draining.add(drained);
  };

  /** Temporal may be away just when the condition changes, which is no reason to end a process whose calls run. */
  const makeAgain = async (): Promise<Worker | undefined> => {
    for (let pauseMs = firstPauseMs; !stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        takesActivities = condition?.holds() ?? true;
        return await make(takesActivities);
      } catch (error) {
        log.error({ err: error, queue }, 'a worker could not be made and is tried again');
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
    return undefined;
  };

  /** Resolves when another kind of worker is wanted, and there is room for one. */
  const change = async (watch: ConditionWatch): Promise<void> => {
    do {
      await watch.until(!takesActivities);
      while (draining.size >= maxDraining) await Promise.race(draining);
    } while (watch.holds() === takesActivities);
  };

  const serve = async (): Promise<void> => {
    while (true) {
      const running = worker.run();
      // Stopped while this worker was made: it must have run to give its connection back.
      if (stopping.signal.aborted) shutDown();
      const hasEnded = await Promise.race([
        running.then(() => true),
        ...(condition ? [change(condition).then(() => false)] : []),
      ]);
      if (hasEnded || stopping.signal.aborted) return running;
      drain(running);
      const next = await makeAgain();
      if (!next) return;
      worker = next;
    }
  };

  return {
    run: serve().finally(() => Promise.all(draining)),
    stop() {
      stopping.abort();
      shutDown();
    },
  };
}
