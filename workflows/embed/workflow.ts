import { continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { wakeSignal } from '../signals-and-updates.ts';
import { embedding } from '../policies.ts';

const { embedTexts } = proxyActivities<Activities>(embedding);

/** Events after which the work continues in a new run; each upload adds a signal. */
const maxHistoryEvents = 2_000;

/**
 * Embeds the passages that have no vector yet, in batches, until none is left. Its state is in rows, so it can be
 * stopped and started at any time.
 *
 * @returns how many texts this run embedded
 */
export async function embedDocumentsWorkflow(): Promise<number> {
  let isWoken = false;
  let embedded = 0;
  setHandler(wakeSignal, () => {
    isWoken = true;
  });
  while (true) {
    isWoken = false;
    const batch = await embedTexts();
    embedded += batch.embedded;
    setCurrentDetails(`**Vectors** ${batch.progress.embedded} of ${batch.progress.chunks} passages`);
    // A passage that was stored after the rows were read has sent the wake signal.
    if (!batch.more && !isWoken) return embedded;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (continueAsNewSuggested || historyLength > maxHistoryEvents)
      await continueAsNew<typeof embedDocumentsWorkflow>();
  }
}
