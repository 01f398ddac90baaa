import { CancellationScope, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import { rowWrite } from '../policies.ts';
import { wakeSignal } from '../signals-and-updates.ts';
import { undoCalls } from './undo-calls.ts';

const { begunUndos } = proxyLocalActivities<Activities>(rowWrite);

/**
 * Undoes what a task has changed that has ended, newest first. The rows say which calls a person asked to undo; each
 * request wakes the workflow, which then reads them again.
 *
 * Not cancellable: an undo that has begun is brought to its end.
 */
export async function undoTaskWorkflow(task: TaskRef): Promise<void> {
  let isWoken = true;
  setHandler(wakeSignal, () => {
    isWoken = true;
  });
  await CancellationScope.nonCancellable(async () => {
    while (isWoken) {
      isWoken = false;
      const { undo: calls } = await begunUndos({ task });
      await undoCalls(task, calls);
    }
  });
}
