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
import { parkedSignal } from '../messages.ts';
import { watching } from '../policies.ts';

const { letTasksGo } = proxyActivities<Activities>(watching);

/** Events of one run; every parked task adds a signal to them. */
const longestHistory = 2_000;

/**
 * Watches a model that is down until no task waits for it any more: one task goes as the probe whenever one is due, and the
 * others at the settable pace once the model answers. All state is in rows, so it may be stopped and started at any time.
 */
export async function modelOutageWorkflow({ model }: { model: string }): Promise<void> {
  let parkedSince = false;
  setHandler(parkedSignal, () => void (parkedSince = true));
  while (true) {
    parkedSince = false;
    try {
      const { parked, open } = await letTasksGo({ model });
      setCurrentDetails(`${parked} tasks wait for **${model}**, which ${open ? 'does not answer' : 'answers'}.`);
      // A task that was parked after the last look told so before it went to rest.
      if (parked === 0 && !parkedSince) return;
    } catch (error) {
      if (isCancellation(error)) throw error;
      setCurrentDetails(`The tasks that wait for **${model}** could not be looked at. Trying again.`);
      await condition(() => parkedSince, '30 s');
    }
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (continueAsNewSuggested || historyLength > longestHistory)
      await continueAsNew<typeof modelOutageWorkflow>({ model });
  }
}
