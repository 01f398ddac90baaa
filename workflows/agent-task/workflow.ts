import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ContentHash, MessageHead, TaskRef } from '../../contract/references.ts';
import { isOwnCancellation } from '../cancellation.ts';
import { failureOf, taskFailure } from '../failure.ts';
import { effectCall, rowWrite } from '../policies.ts';
import { TaskRun, type ContinueAsNewState } from './task-run.ts';

const { undoCall } = proxyActivities<Activities>(effectCall);
const { completeTask, closeTask, cancellationOf, giveUpUndo } = proxyLocalActivities<Activities>(rowWrite);

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
      run.progress.showEnd('completed');
      return result;
    }
  } catch (error) {
    const isCancelled = isOwnCancellation(error);
    const failure = failureOf(error);
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
  await CancellationScope.nonCancellable(handlersFinished);
  return continueAsNew<typeof agentTaskWorkflow>({ ...task, ...run.continueAsNewArgs() });
}

/** Undoes the task's effects, newest first, if the cancel request asked for that. */
async function undoEffects(task: TaskRef): Promise<void> {
  const { undo: calls } = await cancellationOf({ task });
  for (const call of calls) {
    try {
      await undo(task, call);
    } catch {
      // One failed undo does not stop the others.
      await giveUpUndo({ task, call });
    }
  }
}

/** Our own database being away does not make an undo fail, however long it takes. */
async function undo(task: TaskRef, call: Parameters<typeof undoCall>[0]['call']): Promise<void> {
  while (true) {
    try {
      return await undoCall({ task, call });
    } catch (error) {
      if (failureOf(error).code !== 'database_unavailable') throw error;
    }
  }
}

const handlersFinished = async () => {
  if (!allHandlersFinished()) await condition(allHandlersFinished);
};
