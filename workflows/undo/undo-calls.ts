import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import { effectCall, rowWrite } from '../policies.ts';

const { undoCall } = proxyActivities<Activities>(effectCall);
const { giveUpUndo } = proxyLocalActivities<Activities>(rowWrite);

type Call = Parameters<Activities['undoCall']>[0]['call'];

/** Undoes calls of a task one after the other. One failed undo does not stop the others. */
export async function undoCalls(task: TaskRef, calls: Call[]): Promise<void> {
  for (const call of calls) {
    try {
      await undoCall({ task, call });
    } catch {
      await giveUpUndo({ task, call });
    }
  }
}
