import { CancellationScope, isCancellation } from '@temporalio/workflow';

/**
 * Whether the current scope itself was cancelled. A cancellation error can have another origin: an activity, a child or
 * an inner scope was cancelled alone.
 */
export const isOwnCancellation = (error: unknown): boolean =>
  isCancellation(error) && CancellationScope.current().consideredCancelled;
