import { continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { wakeSignal } from '../messages.ts';
import { embedding } from '../policies.ts';

const { embedTexts } = proxyActivities<Activities>(embedding);

/** Events of one run; every upload adds a signal to them. */
const longestHistory = 2_000;

/**
 * Makes vectors of whatever documents hold that has none, batch by batch, until nothing is left. Rows say how far it is, so
 * it may be stopped and started at any time. @returns how many texts this run embedded
 */
export async function embedDocumentsWorkflow(): Promise<number> {
  let woken = false;
  let embedded = 0;
  setHandler(wakeSignal, () => void (woken = true));
  for (;;) {
    woken = false;
    const batch = await embedTexts();
    embedded += batch.embedded;
    setCurrentDetails(`**Vectors** ${batch.progress.embedded} of ${batch.progress.chunks} passages`);
    // What was stored after the last look told so before it went to rest.
    if (!batch.more && !woken) return embedded;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (continueAsNewSuggested || historyLength > longestHistory) await continueAsNew<typeof embedDocumentsWorkflow>();
  }
}
