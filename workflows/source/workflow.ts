import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { SourceRef } from '../../contract/references.ts';
import { failureOf, taskFailure } from '../failure.ts';
import { wakeSignal } from '../messages.ts';
import { fileBatch, row, submission } from '../policies.ts';

const { listSource, syncItems } = proxyActivities<Activities>(fileBatch);
const { requestSourceSync } = proxyActivities<Activities>(submission);
const { beginSourceSync, endSourceSync } = proxyLocalActivities<Activities>(row);

type Counts = Awaited<ReturnType<Activities['syncItems']>>;

/** Events of one run, about eleven for each batch. */
const longestHistory = 4_000;

/**
 * Does what a source's row asks for, a sync or its removal, until it asks for nothing. Rows say how far it is, so that it
 * may be stopped and started at any time; there is one such workflow a source, whoever starts it.
 */
export async function syncSourceWorkflow(source: SourceRef): Promise<void> {
  let woken = false;
  setHandler(wakeSignal, () => void (woken = true));
  // The same after a continue-as-new: this chain finds the sync that it has begun.
  const run = workflowInfo().firstExecutionRunId;
  let failure: ReturnType<typeof failureOf> | undefined;
  try {
    for (;;) {
      woken = false;
      const work = await beginSourceSync({ source, run });
      // What was asked for after the look has woken us.
      if (!work && !woken) break;
      if (!work) continue;
      failure = await failureIn(() => sync(source, work));
      await CancellationScope.nonCancellable(() => endSourceSync({ source, end: endOf(failure), run }));
    }
  } catch (error) {
    if (!(isCancellation(error) && CancellationScope.current().consideredCancelled)) throw error;
    await CancellationScope.nonCancellable(() => endSourceSync({ source, end: { status: 'cancelled' } }));
    throw error;
  }
  if (failure) throw taskFailure(failure);
}

/** Time for a sync, says a schedule. */
export async function sourceDueWorkflow(source: SourceRef): Promise<void> {
  await requestSourceSync({ source });
}

const endOf = (failure: ReturnType<typeof failureOf> | undefined) =>
  failure ? ({ status: 'failed', ...failure } as const) : ({ status: 'completed' } as const);

async function sync(source: SourceRef, { isListed }: { isListed: boolean }): Promise<void> {
  if (!isListed) show(await listSource({ source }));
  for (;;) {
    const counts = await syncItems({ source });
    show(counts);
    if (counts.pending + counts.gone === 0) return;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (continueAsNewSuggested || historyLength > longestHistory)
      await continueAsNew<typeof syncSourceWorkflow>(source);
  }
}

/** @returns why it failed. A cancellation, and what ends this run, are thrown. */
async function failureIn(work: () => Promise<void>) {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    return failureOf(error);
  }
}

/** Counts only: names of pages may be personal. */
function show({ pending, added, replaced, unchanged, failed, gone, removed }: Counts) {
  const done = added + replaced + unchanged + failed;
  setCurrentDetails(
    [
      `**Items** ${done} of ${done + pending}`,
      `**Added** ${added} · **replaced** ${replaced} · **unchanged** ${unchanged} · **failed** ${failed} · **removed** ${removed} of ${removed + gone}`,
    ].join('\n\n'),
  );
}
