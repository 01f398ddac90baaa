import {
  allHandlersFinished,
  CancelledFailure,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ContentHash, MessageHead, TaskRef } from '../../contract/references.ts';
import { isOwnCancellation, sendCancellations } from '../cancellation.ts';
import { failureOf, taskFailure } from '../failure.ts';
import { rowWrite } from '../policies.ts';
import { undoCalls } from '../undo/undo-calls.ts';
import { undoDelegated } from '../undo/undo-delegated.ts';
import { endDelegated } from './delegation.ts';
import type { ContinueAsNewState } from './loop-state.ts';
import { TaskRun } from './task-run.ts';

const { completeTask, closeTask, cancellationOf } = proxyLocalActivities<Activities>(rowWrite);

/** `carried` is present when a previous run of the same task continued as this one. */
export type AgentTask = TaskRef & { head: MessageHead; carried?: ContinueAsNewState };

/**
 * Runs one agent on one question until it answers.
 *
 * @returns hash of the stored result
 */
export async function agentTaskWorkflow({ head, carried, ...task }: AgentTask): Promise<ContentHash> {
  const run = new TaskRun(task, head, carried);
  try {
    await run.begin(carried);
    const result = await run.runUntilAnswered();
    if (result !== undefined) {
      // Once there is an answer, a cancellation comes too late.
      await CancellationScope.nonCancellable(() => completeTask({ task, result }));
      await CancellationScope.nonCancellable(handlersFinished);
      run.progress.showEnd(run.isIncomplete ? 'incomplete' : 'completed');
      return result;
    }
    await CancellationScope.nonCancellable(handlersFinished);
    // The next run would not learn of a cancellation that came while the handlers were awaited.
    if (CancellationScope.current().consideredCancelled && patched('cancelled-before-it-continued'))
      throw new CancelledFailure('The task was cancelled before it continued in a new run.');
  } catch (error) {
    const isCancelled = isOwnCancellation(error);
    const failure = failureOf(error);
    if (isCancelled) await sendCancellations();
    // What a run has begun that was superseded belongs to the one that has the row now.
    if ((isCancelled || failure.code !== 'superseded') && patched('tasks-below-end-first'))
      await CancellationScope.nonCancellable(() => endDelegated(task));
    if (run.worksElsewhere && failure.code !== 'superseded')
      await CancellationScope.nonCancellable(() => run.endElsewhere());
    if (isCancelled && patched('undo-when-cancelled')) await CancellationScope.nonCancellable(() => undoEffects(task));
    await CancellationScope.nonCancellable(() =>
      closeTask({
        task,
        closure: isCancelled
          ? { status: 'cancelled', reason: 'Cancelled on request.' }
          : { status: 'failed', ...failure },
      }),
    );
    await CancellationScope.nonCancellable(handlersFinished);
    run.progress.showEnd(isCancelled ? 'cancelled' : 'failed');
    throw isCancelled ? error : taskFailure(failure);
  }
  return continueAsNew<typeof agentTaskWorkflow>({ ...task, ...run.continueAsNewArgs() });
}

/**
 * Undoes the task's effects, newest first, if the cancel request asked for that, and those of the tasks that it has
 * delegated. Those have ended by now.
 */
async function undoEffects(task: TaskRef): Promise<void> {
  const { undo: calls, delegated = [] } = await cancellationOf({ task });
  await undoDelegated(delegated);
  await undoCalls(task, calls);
}

const handlersFinished = async () => {
  if (!allHandlersFinished()) await condition(allHandlersFinished);
};
