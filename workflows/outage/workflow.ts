import {
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { parkedSignal } from '../signals-and-updates.ts';
import { outageWatch } from '../policies.ts';

const { letTasksGo: releaseParkedTasks } = proxyActivities<Activities>(outageWatch);

/** Events after which the watch continues in a new run; each parked task adds a signal. */
const maxHistoryEvents = 2_000;

/**
 * Watches a model that is down until no task waits for it. While the model is down, it releases one task at a time as a
 * probe. Once the model answers, it releases the others at the configured rate. Its state is in rows, so it can be
 * stopped and started at any time.
 */
export async function modelOutageWorkflow({ model }: { model: string }): Promise<void> {
  let hasNewTasks = false;
  setHandler(parkedSignal, () => {
    hasNewTasks = true;
  });
  while (true) {
    hasNewTasks = false;
    try {
      const { parked, open } = await releaseParkedTasks({ model });
      setCurrentDetails(`${parked} tasks wait for **${model}**, which ${open ? 'does not answer' : 'answers'}.`);
      // A task that was parked after the rows were read has sent the signal.
      if (parked === 0 && !hasNewTasks) return;
    } catch (error) {
      if (isCancellation(error)) throw error;
      setCurrentDetails(`The tasks that wait for **${model}** could not be looked at. Trying again.`);
      await condition(() => hasNewTasks, '30 s');
    }
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (continueAsNewSuggested || historyLength > maxHistoryEvents)
      await continueAsNew<typeof modelOutageWorkflow>({ model });
  }
}
