import type { Client } from '@temporalio/client';
import { AlfredError } from '../contract/errors.ts';

/**
 * Calls Temporal with a bound on the whole time. The SDK's deadline is for one attempt, and its native core goes on
 * repeating for ten seconds behind it; what it achieves after our answer is found by the caller's repeat.
 *
 * @param limitMs milliseconds
 * @throws AlfredError `temporal_unavailable` when the time is over
 */
export async function inTime<T>(client: Client, limitMs: number, call: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new AlfredError('temporal_unavailable')), limitMs);
  try {
    return await Promise.race([client.withDeadline(Date.now() + limitMs, call), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
