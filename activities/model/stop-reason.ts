import { AlfredError } from '../../contract/errors.ts';
import type { Ledger } from '../../contract/ports/index.ts';
import { isShutdown, toAlfredError } from '../activity-context.ts';

type CallState = Awaited<ReturnType<Ledger['stateOfCall']>>;

/** Why the answer of a call is not wanted any more; undefined while it is. */
export const stopErrorOf = (state: CallState): AlfredError | undefined => {
  if (state === 'open') return undefined;
  return state === 'ended' ? new AlfredError('cancelled') : new AlfredError('superseded');
};

/** Why an aborted call was stopped. */
export async function abortReasonOf(
  signal: AbortSignal,
  whyUnwanted: () => Promise<AlfredError | undefined>,
): Promise<AlfredError> {
  if (signal.reason instanceof AlfredError) return signal.reason;
  if (isShutdown(signal)) return new AlfredError('draining', 'The worker shuts down.');
  return (await whyUnwanted().catch(() => undefined)) ?? new AlfredError('cancelled');
}

/**
 * Why the ledger takes no more text of a call that is not aborted. Temporal waits for this attempt, so it ends the task
 * only if the task is ending.
 */
export async function refusalReasonOf(whyUnwanted: () => Promise<AlfredError | undefined>): Promise<AlfredError> {
  try {
    return (await whyUnwanted()) ?? overtaken();
  } catch (error) {
    return toAlfredError(error);
  }
}

/** Another attempt writes the text of the step, and has not answered yet. The next attempt waits for its answer. */
export const overtaken = () => new AlfredError('model_unavailable', 'Another attempt at this call took over.');
