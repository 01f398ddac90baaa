/**
 * An abort signal that fires when the first of several signals fires, or after a time.
 *
 * Used in place of `AbortSignal.any` and `AbortSignal.timeout`: the sources are held by plain references, so nothing
 * depends on how the runtime keeps them alive, and `release` clears the timer, so that it does not outlive the work.
 *
 * @param options.timeoutMs milliseconds after which the signal fires; `hasTimedOut` tells whether it did
 * @returns the signal, and `release`, which must be called when the signal is no longer needed
 */
export function linkAbort(signals: readonly AbortSignal[], { timeoutMs }: { timeoutMs?: number } = {}) {
  const controller = new AbortController();
  const links = signals.map((signal) => ({ signal, abort: () => controller.abort(signal.reason) }));
  for (const { signal, abort } of links) {
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }
  let timedOut = false;
  const abortLate = () => {
    timedOut = true;
    controller.abort(new DOMException('The time is over.', 'TimeoutError'));
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(abortLate, timeoutMs);
  return {
    signal: controller.signal,
    hasTimedOut: () => timedOut,
    release: () => {
      clearTimeout(timer);
      for (const { signal, abort } of links) signal.removeEventListener('abort', abort);
    },
  };
}
