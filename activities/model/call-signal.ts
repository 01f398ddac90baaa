import { setTimeout as sleep } from 'node:timers/promises';
import { AlfredError } from '../../contract/errors.ts';
import { isAbandoned } from '../activity-context.ts';

type CallSignal = {
  /** The activity's signal. */
  activity: AbortSignal;
  /** Aborts when the worker's grace time is over: an activity's signal that has aborted before does not say it. */
  draining?: AbortSignal | undefined;
  /** The longest duration of the call, in milliseconds. */
  limitMs: number;
  /** Reads why the call is not wanted any more; undefined while it is. */
  whyUnwanted: () => Promise<AlfredError | undefined>;
};

/** From one question whether an abandoned call is still wanted to the next, in milliseconds. */
const pollMs = 1_000;

/**
 * The signal that stops a model call: the task was cancelled, the worker shuts down, or the call takes too long. When
 * Temporal only stopped waiting for this attempt, the call goes on: it is paid, the ledger keeps its answer, and the
 * next attempt waits for it. It then stops when the ledger says that nothing waits for it.
 *
 * @returns `release`: to be called at the end
 */
export function createCallSignal({ activity, draining, limitMs, whyUnwanted }: CallSignal) {
  const controller = new AbortController();
  let isReleased = false;
  const watch = async () => {
    while (!isReleased) {
      // A database that is away stops no call.
      const reason = await whyUnwanted().catch(() => undefined);
      if (reason) return controller.abort(reason);
      await sleep(pollMs, undefined, { ref: false });
    }
  };
  const abort = () => (isAbandoned(activity) ? void watch() : controller.abort(activity.reason));
  if (activity.aborted) abort();
  else activity.addEventListener('abort', abort, { once: true });
  const drain = () => controller.abort(draining?.reason);
  if (draining?.aborted) drain();
  else draining?.addEventListener('abort', drain, { once: true });
  const minutes = Math.round(limitMs / 60_000);
  const tooLong = new AlfredError('timed_out', `The model’s answer took longer than ${minutes} minutes.`);
  const timer = setTimeout(() => controller.abort(tooLong), limitMs);
  return {
    signal: controller.signal,
    release() {
      activity.removeEventListener('abort', abort);
      draining?.removeEventListener('abort', drain);
      clearTimeout(timer);
      isReleased = true;
    },
  };
}
