import {
  CancellationScope,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Ingestion } from '../../contract/documents.ts';
import type { Scope } from '../../contract/references.ts';
import { failureOf, taskFailure } from '../failure.ts';
import { fileBatch, row } from '../policies.ts';

const { ingestFiles } = proxyActivities<Activities>(fileBatch);
const { endIngestion } = proxyLocalActivities<Activities>(row);

export type Ingest = Scope & { ingestionId: string };

/** Reads uploaded files batch by batch until none is pending. Rows say how far it is, so it can go on anywhere. */
export async function ingestWorkflow(ingestion: Ingest): Promise<Ingestion['counts']> {
  const counts = await endedAs(ingestion, async () => {
    for (;;) {
      const now = await ingestFiles({ ingestion });
      show(now);
      if (now.pending === 0 || workflowInfo().continueAsNewSuggested) return now;
    }
  });
  if (counts.pending > 0) return continueAsNew<typeof ingestWorkflow>(ingestion);
  // Everything is read: a cancellation that comes now comes too late.
  await CancellationScope.nonCancellable(() => endIngestion({ ingestion, status: 'completed' }));
  return counts;
}

/** Writes the end of an ingestion that does not complete to its row. */
async function endedAs<T>(ingestion: Ingest, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const cancelled = isCancellation(error) && CancellationScope.current().consideredCancelled;
    await CancellationScope.nonCancellable(() =>
      endIngestion({ ingestion, status: cancelled ? 'cancelled' : 'failed' }),
    );
    if (cancelled) throw error;
    throw taskFailure(failureOf(error));
  }
}

/** Counts only: names of files may be personal. */
function show({ pending, added, replaced, unchanged, failed }: Ingestion['counts']) {
  const done = added + replaced + unchanged + failed;
  setCurrentDetails(
    [
      `**Files** ${done} of ${done + pending}`,
      `**Added** ${added} · **replaced** ${replaced} · **unchanged** ${unchanged} · **failed** ${failed}`,
    ].join('\n\n'),
  );
}
