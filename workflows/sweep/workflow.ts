import { isCancellation, patched, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { failureOf } from '../failure.ts';
import { housekeeping } from '../policies.ts';

const steps = proxyActivities<Activities>(housekeeping);

/** A sweep ends after this time or so many events, and its schedule starts the next one. */
const longestMs = 60 * 60_000;
const maxHistoryEvents = 5_000;
/** Each so many rounds the sweep also looks at what changes seldom: tasks that have waited for long, schedules. */
const fullRoundEvery = 20;

/**
 * Brings rows and workflows in line. A schedule starts it.
 *
 * @param options `everyS`: goes on with a round every so many seconds, so that Temporal's list shows one workflow and
 *   not one a round. When it is absent, there is one round.
 * @returns how many task rows were corrected
 */
export async function sweepTasksWorkflow({ everyS }: { everyS?: number } = {}): Promise<number> {
  if (!patched('sweep-in-steps')) return steps.sweepTasks();
  const startedAt = Date.now();
  let corrected = 0;
  let rounds = 0;
  let wasHalted = false;
  while (true) {
    const isFull = rounds % fullRoundEvery === 0;
    // A round that looks at recent changes only could not tell that the unknown tasks are still unknown.
    const round = await sweepOnce({ isFull, comparesAll: isFull || wasHalted });
    corrected += round.corrected;
    wasHalted = round.isHalted;
    rounds++;
    setCurrentDetails(`**Rounds** ${rounds} · **rows corrected** ${corrected}`);
    const isLast = everyS === undefined || Date.now() + everyS * 1_000 > startedAt + longestMs;
    if (isLast || workflowInfo().historyLength > maxHistoryEvents) return corrected;
    await sleep(everyS * 1_000);
  }
}

type Options = {
  /** Also aligns schedules. */
  isFull: boolean;
  /** Compares tasks that have waited for long, too. */
  comparesAll: boolean;
};

async function sweepOnce({ isFull, comparesAll }: Options): Promise<{ corrected: number; isHalted: boolean }> {
  const compared = await compare(comparesAll);
  await orUndefined(steps.measureTasks());
  // It is the wrong Temporal, or does not know too many tasks. Nothing else is judged by it either.
  if (compared.isHalted) return compared;
  if (!compared.isDone && !patched('sweeps-on-without-a-comparison')) return compared;
  await orUndefined(steps.sweepRows());
  await orUndefined(steps.sweepDocuments());
  await orUndefined(steps.sweepRetention());
  if (isFull) await orUndefined(steps.alignSchedules());
  return compared;
}

/** Compares rows with workflows. The other steps need no comparison: it fails when Temporal cannot list workflows. */
async function compare(isFull: boolean): Promise<{ corrected: number; isHalted: boolean; isDone: boolean }> {
  try {
    return { ...(await steps.compareTasks({ isFull })), isDone: true };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { corrected: 0, isHalted: failureOf(error).code === 'wrong_namespace', isDone: false };
  }
}

/** The next round makes up for a step that failed. The worker has logged why. */
async function orUndefined<T>(step: Promise<T>): Promise<T | undefined> {
  try {
    return await step;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return undefined;
  }
}
