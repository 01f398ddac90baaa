import { isCancellation, patched, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
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
  while (true) {
    corrected += await sweepOnce(rounds % fullRoundEvery === 0);
    rounds++;
    setCurrentDetails(`**Rounds** ${rounds} · **rows corrected** ${corrected}`);
    const isLast = everyS === undefined || Date.now() + everyS * 1_000 > startedAt + longestMs;
    if (isLast || workflowInfo().historyLength > maxHistoryEvents) return corrected;
    await sleep(everyS * 1_000);
  }
}

/** @returns how many task rows were corrected */
async function sweepOnce(isFull: boolean): Promise<number> {
  const compared = await orUndefined(steps.compareTasks({ isFull }));
  await orUndefined(steps.measureTasks());
  // Not compared: it is the wrong Temporal, or does not know too many tasks. Nothing else is judged by it either.
  if (!compared || compared.isHalted) return compared?.corrected ?? 0;
  await orUndefined(steps.sweepRows());
  await orUndefined(steps.sweepDocuments());
  await orUndefined(steps.sweepRetention());
  if (isFull) await orUndefined(steps.alignSchedules());
  return compared.corrected;
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
