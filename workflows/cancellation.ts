import { CancellationScope, isCancellation, patched, sleep } from '@temporalio/workflow';

/**
 * Whether the current scope itself was cancelled. A cancellation error can have another origin: an activity, a child or
 * an inner scope was cancelled alone.
 */
export const isOwnCancellation = (error: unknown): boolean =>
  isCancellation(error) && CancellationScope.current().consideredCancelled;

/**
 * Lets activities that were cancelled learn of it before the next local activity runs: a worker sends no command while
 * a local activity runs, for up to four seconds, and the one that ends a task waits for the interrupted model call.
 */
export async function sendCancellations(): Promise<void> {
  if (patched('cancellations-are-sent-first')) await CancellationScope.nonCancellable(() => sleep(1));
}
