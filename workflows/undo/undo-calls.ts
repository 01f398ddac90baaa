import { patched, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import { failureOf } from '../failure.ts';
import { effectCall, rowWrite } from '../policies.ts';

const { undoCall } = proxyActivities<Activities>(effectCall);
const { giveUpUndo } = proxyLocalActivities<Activities>(rowWrite);

type Call = Parameters<Activities['undoCall']>[0]['call'];

/** Undoes calls of a task one after the other. One failed undo does not stop the others. */
export async function undoCalls(task: TaskRef, calls: Call[]): Promise<void> {
  for (const call of calls) {
    try {
      await undo(task, call);
    } catch {
      await giveUpUndo({ task, call });
    }
  }
}

/** The wait after all attempts of an undo have met a database that is away. */
const pauseMs = 60_000;

/** Our own database being away does not make an undo fail, however long it takes. */
async function undo(task: TaskRef, call: Call): Promise<void> {
  while (true) {
    try {
      return await undoCall({ task, call });
    } catch (error) {
      if (failureOf(error).code !== 'database_unavailable' || !patched('an-undo-waits-for-the-database')) throw error;
      await sleep(pauseMs);
    }
  }
}
