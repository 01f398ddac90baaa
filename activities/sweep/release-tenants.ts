import type { Tenants, Workflows } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';

/** The most tasks of one round. The others follow with the next, or look for themselves. */
const mostAtOnce = 500;

type ReleaseDeps = {
  tenants: Pick<Tenants, 'listReleased'>;
  workflows: Pick<Workflows, 'release'>;
  log: Logger;
};

/** Lets tasks go on whose tenant is not suspended any more. */
export async function releaseTenants({ tenants, workflows, log }: ReleaseDeps, signal: AbortSignal): Promise<void> {
  for (const taskId of await tenants.listReleased(mostAtOnce)) {
    signal.throwIfAborted();
    try {
      await workflows.release(taskId);
    } catch (error) {
      // It looks for itself some minutes later.
      log.warn({ err: error, taskId }, 'a task of a resumed tenant did not hear that it may go on');
    }
  }
}
