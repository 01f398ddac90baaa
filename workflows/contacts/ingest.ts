import {
  CancellationScope,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ContactIngestRef } from '../../contract/references.ts';
import { isOwnCancellation } from '../cancellation.ts';
import { failureOf, taskFailure } from '../failure.ts';
import { contactBatch, rowWrite, submission } from '../policies.ts';

const { ingestContacts } = proxyActivities<Activities>(contactBatch);
const { requestContactSync } = proxyActivities<Activities>(submission);
const { endContactIngest } = proxyLocalActivities<Activities>(rowWrite);

/** Stores the lines of an upload of contacts, batch by batch. Its position is in the row, so another run can go on. */
export async function contactIngestWorkflow(ingest: ContactIngestRef): Promise<void> {
  let status: 'completed' | 'failed' | 'cancelled' = 'completed';
  let failure: unknown;
  try {
    await storeBatches(ingest);
  } catch (error) {
    failure = error;
    status = isOwnCancellation(error) ? 'cancelled' : 'failed';
  }
  const isToContinue = status === 'completed' && workflowInfo().continueAsNewSuggested;
  if (isToContinue) return continueAsNew<typeof contactIngestWorkflow>(ingest);
  await CancellationScope.nonCancellable(async () => {
    await endContactIngest({ ingest, status });
    // What was stored before the end is for the CRM, too.
    await requestContactSync({ tenant: ingest.tenant });
  });
  if (status === 'cancelled') throw failure;
  if (status === 'failed') throw taskFailure(failureOf(failure));
}

/** Returns when no batch is left, or when a new run must continue. */
async function storeBatches(ingest: ContactIngestRef): Promise<void> {
  const sums = { added: 0, merged: 0, unchanged: 0, rejected: 0 };
  while (!workflowInfo().continueAsNewSuggested) {
    const { more, added, merged, unchanged, rejected } = await ingestContacts({ ingest });
    sums.added += added;
    sums.merged += merged;
    sums.unchanged += unchanged;
    sums.rejected += rejected;
    show(sums);
    if (!more) return;
  }
}

function show({ added, merged, unchanged, rejected }: Record<'added' | 'merged' | 'unchanged' | 'rejected', number>) {
  setCurrentDetails(
    `**Contacts** added ${added} · **merged** ${merged} · **unchanged** ${unchanged} · **rejected** ${rejected}`,
  );
}
