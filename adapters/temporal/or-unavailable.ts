import { AlfredError } from '../../contract/errors.ts';
import { isTemporalUnavailable } from '../../runtime/temporal.ts';

/** Callers wait for a Temporal that is away and fail on every other error, so they must tell the two apart. */
export async function orUnavailable<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isTemporalUnavailable(error)) throw error;
    throw new AlfredError('temporal_unavailable', undefined, { cause: error });
  }
}
