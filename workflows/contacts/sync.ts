import { continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { wakeSignal } from '../signals-and-updates.ts';
import { crmBatch } from '../policies.ts';

const { syncContacts } = proxyActivities<Activities>(crmBatch);

/** Events after which the work continues in a new run; each upload adds a signal. */
const maxHistoryEvents = 2_000;

/**
 * Writes the contacts of a tenant to the CRM until it has all of them. One workflow per tenant, so that no two write
 * the same person at once. Its state is in rows.
 */
export async function contactSyncWorkflow({ tenant }: { tenant: string }): Promise<void> {
  let isWoken = false;
  setHandler(wakeSignal, () => {
    isWoken = true;
  });
  let [confirmed, refused] = [0, 0];
  while (true) {
    isWoken = false;
    const batch = await syncContacts({ tenant });
    confirmed += batch.confirmed;
    refused += batch.refused;
    setCurrentDetails(`**Contacts in the CRM** ${confirmed} confirmed · ${refused} refused`);
    // Contacts that were stored after the rows were read have sent the wake signal.
    if (!batch.more && !isWoken) return;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (continueAsNewSuggested || historyLength > maxHistoryEvents)
      await continueAsNew<typeof contactSyncWorkflow>({ tenant });
  }
}
