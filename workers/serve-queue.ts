import type { Worker } from '@temporalio/worker';
import type { ConditionWatch } from '../runtime/condition-watch.ts';

/** Makes a worker of one queue. @param takesActivities false: it takes workflow tasks only, and their row writes */
type MakeWorker = (takesActivities: boolean) => Promise<Worker>;

/**
 * Serves one queue until it is stopped. While `condition` does not hold, the process takes no activities of the queue:
 * they wait for it, or for another process. Workflows go on, so that a task that waits can say why.
 *
 * @param condition absent when the queue needs nothing that a process may lack
 */
export async function serveQueue(make: MakeWorker, condition?: ConditionWatch) {
  let takesActivities = condition?.holds() ?? true;
  let worker = await make(takesActivities);
  let isStopping = false;

  const shutDown = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };

  const run = async (): Promise<void> => {
    while (true) {
      const running = worker.run();
      // Stopped while this worker was made: it must have run to give its connection back.
      if (isStopping) {
        shutDown();
        return running;
      }
      const hasEnded = await Promise.race([
        running.then(() => true),
        ...(condition ? [condition.until(!takesActivities).then(() => false)] : []),
      ]);
      if (hasEnded || isStopping) return running;
      // Running activities get the grace time of a shutdown; later ones go to other processes.
      shutDown();
      await running;
      if (isStopping) return;
      takesActivities = condition?.holds() ?? true;
      worker = await make(takesActivities);
    }
  };

  return {
    run: run(),
    stop() {
      isStopping = true;
      shutDown();
    },
  };
}
