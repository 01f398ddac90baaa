import type { Client } from '@temporalio/client';
import { AlfredError } from '../contract/errors.ts';
import { withTimeout } from './with-timeout.ts';

/**
 * Calls Temporal and bounds the total time. The SDK's own deadline covers one attempt only: its native core keeps
 * retrying for about ten seconds after that. A late success is harmless, because callers repeat the call and find its
 * effect.
 *
 * @throws AlfredError `temporal_unavailable` when the time is over
 */
export async function withTemporalTimeout<T>(client: Client, timeoutMs: number, call: () => Promise<T>): Promise<T> {
  return withTimeout(client.withDeadline(Date.now() + timeoutMs, call), timeoutMs, () => {
    throw new AlfredError('temporal_unavailable');
  });
}
