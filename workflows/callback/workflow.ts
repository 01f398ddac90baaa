import { CancellationScope, isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { CallbackRef } from '../../contract/references.ts';
import { delivery, row } from '../policies.ts';

const { deliverCallback } = proxyActivities<Activities>(delivery);
const { giveUpCallback } = proxyLocalActivities<Activities>(row);

/**
 * Tells a task's end to whom its request named, again and again until somebody takes it or the time is over. Where and with
 * which secret stands in the row, never in history.
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
