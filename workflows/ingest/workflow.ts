import {
  CancellationScope,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Ingestion } from '../../contract/documents.ts';
import type { Scope } from '../../contract/references.ts';
import { isOwnCancellation } from '../cancellation.ts';
import { failureOf, taskFailure } from '../failure.ts';
import { fileBatch, rowWrite } from '../policies.ts';

const { ingestFiles } = proxyActivities<Activities>(fileBatch);
const { endIngestion } = proxyLocalActivities<Activities>(rowWrite);

export type Ingest = Scope & { ingestionId: string };

/** Reads uploaded files in batches until none is pending. Its state is in rows, so another run can continue it. */
export async function ingestWorkflow(ingestion: Ingest): Promise<Ingestion['counts']> {
  const counts = await recordFailure(ingestion, () => ingestBatches(ingestion));
  if (counts.pending > 0) return continueAsNew<typeof ingestWorkflow>(ingestion);
  // All files are read, so a cancellation comes too late.
  await CancellationScope.nonCancellable(() => endIngestion({ ingestion, status: 'completed' }));
  return counts;
}

/** @returns the counts when no file is pending, or when a new run must continue */
async function ingestBatches(ingestion: Ingest): Promise<Ingestion['counts']> {
  while (true) {
    const counts = await ingestFiles({ ingestion });
    show(counts);
    if (counts.pending === 0 || workflowInfo().continueAsNewSuggested) return counts;
  }
}

/** Writes a failure or cancellation of the work to the ingestion's row. */
async function recordFailure<T>(ingestion: Ingest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isCancelled = isOwnCancellation(error);
    await CancellationScope.nonCancellable(() =>
      endIngestion({ ingestion, status: isCancelled ? 'cancelled' : 'failed' }),
    );
    if (isCancelled) throw error;
    throw taskFailure(failureOf(error));
  }
}

/** Shows counts only: names of files may be personal data. */
function show({ pending, added, replaced, unchanged, failed }: Ingestion['counts']) {
  const done = added + replaced + unchanged + failed;
  setCurrentDetails(
    [
      `**Files** ${done} of ${done + pending}`,
      `**Added** ${added} · **replaced** ${replaced} · **unchanged** ${unchanged} · **failed** ${failed}`,
    ].join('\n\n'),
  );
}
