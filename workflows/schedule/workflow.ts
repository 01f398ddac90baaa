import {
  CancellationScope,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
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
import { isOwnCancellation } from '../cancellation.ts';
import { failureOf, taskFailure } from '../failure.ts';
import type { agentTaskWorkflow } from '../agent-task/workflow.ts';
import { rowWrite, submission } from '../policies.ts';

const { submitScheduledMessage } = proxyActivities<Activities>(submission);
const { beginScheduledRun, scheduledRunEnd, dropScheduledTask, failScheduledRun } =
  proxyLocalActivities<Activities>(rowWrite);

type TaskWork = Extract<Awaited<ReturnType<Activities['beginScheduledRun']>>, { task: unknown }>;
/** The final status of a run that has not failed. */
type EndStatus = Exclude<NonNullable<Awaited<ReturnType<Activities['scheduledRunEnd']>>>['status'], 'failed'>;

/** First and longest wait between two reads of a row that another workflow writes, in milliseconds. */
const pollMs = { first: 1_000, longest: 60_000 };

/**
 * One run of a schedule. It starts a task or sends a message, ends when that work ends, and fails when it fails: so
 * Temporal's overlap policies apply to the work and not only to its start.
 */
export async function scheduledRunWorkflow(schedule: ScheduleRef): Promise<EndStatus> {
  // Temporal appends the scheduled time to the workflow id, so a repeated or reset run has the same key.
  const run = { ...schedule, key: workflowInfo().workflowId };
  const end = await recordFailure(run, async () => {
    // Not cancellable: only work that is known to have begun can be cancelled afterwards.
    const work = await CancellationScope.nonCancellable(() => begin(run));
    return waitForEnd(run, 'task' in work ? await runTask(work) : work.taskId);
  });
  // The new run finds the same work by its key.
  return end ?? continueAsNew<typeof scheduledRunWorkflow>(schedule);
}

/** @returns a task to start, or the one that answers the message */
async function begin(run: ScheduledRun): Promise<TaskWork | { taskId: string }> {
  const work = await beginScheduledRun({ run });
  return 'task' in work ? work : submitScheduledMessage({ run });
}

/** Writes a failure of the work to the run's row. */
async function recordFailure<T>(run: ScheduledRun, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isOwnCancellation(error)) throw error;
    const failure = failureOf(error);
    await CancellationScope.nonCancellable(() => failScheduledRun({ run, error: failure }));
    throw taskFailure(failure);
  }
}

/** Runs the task as a child, so that a cancellation reaches it and waits for its end. Its outcome is in its row. */
async function runTask({ task, priority }: TaskWork): Promise<string> {
  setCurrentDetails(`Runs task \`${task.taskId}\``);
  try {
    await executeChild<typeof agentTaskWorkflow>('agentTaskWorkflow', {
      ...taskStartOptions(task, priority),
      // When this run is terminated, its task is cancelled, and then closes its row itself.
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
 * Waits for the end of a task that may be a child of another workflow: of a conversation, or of this run before a
 * reset.
 *
 * @returns undefined when the history is long enough and a new run must continue
 */
async function waitForEnd(run: ScheduledRun, taskId: string): Promise<EndStatus | undefined> {
  try {
    return await pollRunEnd(run);
  } catch (error) {
    if (CancellationScope.current().consideredCancelled)
      await CancellationScope.nonCancellable(() => cancelTask(run, taskId));
    throw error;
  }
}

async function pollRunEnd(run: ScheduledRun): Promise<EndStatus | undefined> {
  let waitMs = pollMs.first;
  while (true) {
    const end = await scheduledRunEnd({ run });
    if (end?.status === 'failed') throw taskFailure(end.error);
    if (end) return end.status;
    if (workflowInfo().continueAsNewSuggested) return undefined;
    await sleep(waitMs);
    waitMs = Math.min(2 * waitMs, pollMs.longest);
  }
}

/** Cancels the task and waits for its end, however it ends. */
async function cancelTask(run: ScheduledRun, taskId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(taskWorkflowId(taskId)).cancel();
  } catch {
    // It has ended, or never started.
    return;
  }
  await pollRunEnd(run).catch(() => {});
}
