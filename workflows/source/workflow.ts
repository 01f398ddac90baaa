import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { SourceRef } from '../../contract/references.ts';
import { isOwnCancellation } from '../cancellation.ts';
import { failureOf, taskFailure } from '../failure.ts';
import { wakeSignal } from '../signals-and-updates.ts';
import { fileBatch, rowWrite, submission } from '../policies.ts';

const { listSource, syncItems } = proxyActivities<Activities>(fileBatch);
const { requestSourceSync } = proxyActivities<Activities>(submission);
const { beginSourceSync, endSourceSync } = proxyLocalActivities<Activities>(rowWrite);

type Counts = Awaited<ReturnType<Activities['syncItems']>>;
type Failure = ReturnType<typeof failureOf>;

/** Events after which a sync continues in a new run; each batch adds about eleven. */
const maxHistoryEvents = 4_000;

/**
 * Does what a source's row asks for, a sync or its removal, until the row asks for nothing. One workflow per source.
 * Its state is in rows, so it can be stopped and started at any time.
 */
export async function syncSourceWorkflow(source: SourceRef): Promise<void> {
  let isWoken = false;
  setHandler(wakeSignal, () => {
    isWoken = true;
  });
  // The same id after a continue-as-new, so that a later run finds the sync that an earlier one has begun.
  const run = workflowInfo().firstExecutionRunId;
  let failure: Failure | undefined;
  try {
    while (true) {
      isWoken = false;
      const work = await beginSourceSync({ source, run });
      // A request that arrived after the row was read has sent the wake signal.
      if (!work && !isWoken) break;
      if (!work) continue;
      failure = await failureIn(() => sync(source, work));
      await CancellationScope.nonCancellable(() => endSourceSync({ source, end: syncEndOf(failure), run }));
    }
  } catch (error) {
    if (!isOwnCancellation(error)) throw error;
    await CancellationScope.nonCancellable(() => endSourceSync({ source, end: { status: 'cancelled' } }));
    throw error;
  }
  if (failure) throw taskFailure(failure);
}

/** Started by a source's schedule: requests a sync. */
export async function sourceDueWorkflow(source: SourceRef): Promise<void> {
  await requestSourceSync({ source });
}

const syncEndOf = (failure: Failure | undefined) =>
  failure ? ({ status: 'failed', ...failure } as const) : ({ status: 'completed' } as const);

async function sync(source: SourceRef, { isListed }: { isListed: boolean }): Promise<void> {
  if (!isListed) show(await listSource({ source }));
  while (true) {
    const counts = await syncItems({ source });
    show(counts);
    if (counts.pending + counts.gone === 0) return;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (continueAsNewSuggested || historyLength > maxHistoryEvents)
      await continueAsNew<typeof syncSourceWorkflow>(source);
  }
}

/** @returns why the work failed. Throws a cancellation and a continue-as-new on. */
async function failureIn(work: () => Promise<void>): Promise<Failure | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    if (isOwnCancellation(error)) throw error;
    return failureOf(error);
  }
}

/** Shows counts only: names of pages may be personal data. */
function show({ pending, added, replaced, unchanged, failed, gone, removed }: Counts) {
  const done = added + replaced + unchanged + failed;
  setCurrentDetails(
    [
      `**Items** ${done} of ${done + pending}`,
      `**Added** ${added} · **replaced** ${replaced} · **unchanged** ${unchanged} · **failed** ${failed} · **removed** ${removed} of ${removed + gone}`,
    ].join('\n\n'),
  );
}
