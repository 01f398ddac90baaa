import type { Client } from '@temporalio/client';
import { AlfredError } from '../contract/errors.ts';
import { withTimeout } from './with-timeout.ts';

/**
 * Calls Temporal with a bound on the whole time. The SDK's deadline is for one attempt, and its native core goes on
 * repeating for ten seconds behind it; what it achieves after our answer is found by the caller's repeat.
 *
 * @param limitMs milliseconds
 * @throws AlfredError `temporal_unavailable` when the time is over
 */
export async function withTemporalTimeout<T>(client: Client, limitMs: number, call: () => Promise<T>): Promise<T> {
  const bounded = client.withDeadline(Date.now() + limitMs, call);
  return withTimeout(bounded, limitMs, () => {
    throw new AlfredError('temporal_unavailable');
  });
}
