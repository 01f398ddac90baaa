import { CancellationScope, isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { CallbackRef } from '../../contract/references.ts';
import { delivery, rowWrite } from '../policies.ts';

const { deliverCallback } = proxyActivities<Activities>(delivery);
const { giveUpCallback } = proxyLocalActivities<Activities>(rowWrite);

/**
 * Reports a task's end to the callback URL of its request, and retries until the receiver accepts it or the time is
 * over. The URL and the secret are in the row, never in history.
 */
export async function callbackWorkflow(callback: CallbackRef): Promise<'delivered' | 'failed' | 'nothing_due'> {
  try {
    return await deliverCallback(callback);
  } catch (error) {
    await CancellationScope.nonCancellable(() => giveUpCallback(callback));
    if (isCancellation(error)) throw error;
    return 'failed';
  }
}
