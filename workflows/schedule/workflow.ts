import {
  CancellationScope,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { ScheduledRun, ScheduleRef } from '../../contract/references.ts';
import { taskStartOptions } from '../../contract/task-start.ts';
import { failureOf, taskFailure } from '../failure.ts';
import type { agentTaskWorkflow } from '../agent-task/workflow.ts';
import { rowWrite, submission } from '../policies.ts';

const { submitScheduledMessage } = proxyActivities<Activities>(submission);
const { beginScheduledRun, scheduledRunEnd, dropScheduledTask, failScheduledRun } =
  proxyLocalActivities<Activities>(rowWrite);

type TaskWork = Extract<Awaited<ReturnType<Activities['beginScheduledRun']>>, { task: unknown }>;
/** How the work of a run that has not failed is over. */
type End = Exclude<NonNullable<Awaited<ReturnType<Activities['scheduledRunEnd']>>>['status'], 'failed'>;

/** Between two looks at a row that another workflow writes, in milliseconds: the first wait, and the longest. */
const soonestLook = 1_000;
const latestLook = 60_000;

/**
 * One run of a schedule: starts what it asks for and is over when that is over, so that Temporal's overlap policies mean
 * the work and not its start. It fails when the work fails.
 */
export async function scheduledRunWorkflow(schedule: ScheduleRef): Promise<End> {
  // Temporal ends the id with the time that the run is for: the same one however often it is repeated or reset.
  const run = { ...schedule, key: workflowInfo().workflowId };
  const end = await recorded(run, async () => {
    // Only what is known to have begun can be cancelled.
    const work = await CancellationScope.nonCancellable(() => begin(run));
    return untilEnded(run, 'task' in work ? await runTask(work) : work.taskId);
  });
  // What was begun is found again by its key.
  return end ?? continueAsNew<typeof scheduledRunWorkflow>(schedule);
}

/** @returns a task to start, or the one that answers the message */
async function begin(run: ScheduledRun): Promise<TaskWork | { taskId: string }> {
  const work = await beginScheduledRun({ run });
  return 'task' in work ? work : submitScheduledMessage({ run });
}

/** Writes a failure to the run's row. */
async function recorded<T>(run: ScheduledRun, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    const failure = failureOf(error);
    await CancellationScope.nonCancellable(() => failScheduledRun({ run, error: failure }));
    throw taskFailure(failure);
  }
}

/** Runs the task as a child, so that a cancellation reaches it and waits for its end. How it ended stands in its row. */
async function runTask({ task, priority }: TaskWork): Promise<string> {
  setCurrentDetails(`Runs task \`${task.taskId}\``);
  try {
    await executeChild<typeof agentTaskWorkflow>('agentTaskWorkflow', {
      ...taskStartOptions(task, priority),
      // Who terminates the run cancels its task, which then closes its row itself.
      parentClosePolicy: 'REQUEST_CANCEL',
    });
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) {
      await CancellationScope.nonCancellable(() => dropScheduledTask({ task }));
      throw error;
    }
  }
  return task.taskId;
}

/**
 * Waits for the end of a task that may be another workflow's child: a conversation's, or that of this run before a reset.
 *
 * @returns undefined when this history is long enough
 */
async function untilEnded(run: ScheduledRun, taskId: string): Promise<End | undefined> {
  try {
    return await rowsEnd(run);
  } catch (error) {
    if (CancellationScope.current().consideredCancelled)
      await CancellationScope.nonCancellable(() => cancelTask(run, taskId));
    throw error;
  }
}

async function rowsEnd(run: ScheduledRun): Promise<End | undefined> {
  for (let waitMs = soonestLook; ; waitMs = Math.min(2 * waitMs, latestLook)) {
    const end = await scheduledRunEnd({ run });
    if (end?.status === 'failed') throw taskFailure(end.error);
    if (end) return end.status;
    if (workflowInfo().continueAsNewSuggested) return undefined;
    await sleep(waitMs);
  }
}

async function cancelTask(run: ScheduledRun, taskId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(taskWorkflowId(taskId)).cancel();
  } catch {
    // It is over, or has not begun.
    return;
  }
  await rowsEnd(run).catch(() => {});
}
