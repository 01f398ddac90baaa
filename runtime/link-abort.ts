/**
 * A signal that fires with the first of several, or after a time, held by plain references and let go by `release`: what
 * must stop does not depend on how `AbortSignal.any` keeps its sources, and a timer does not outlive what it guards.
 *
 * @param options.timeoutMs fires after that many milliseconds; `isLate` tells so
 * @returns the signal, and `release`, to be called when it is not needed any more
 */
export function linkAbort(signals: readonly AbortSignal[], { timeoutMs }: { timeoutMs?: number } = {}) {
  const controller = new AbortController();
  const links = signals.map((signal) => ({ signal, fire: () => controller.abort(signal.reason) }));
  for (const { signal, fire } of links) {
    if (signal.aborted) fire();
    else signal.addEventListener('abort', fire, { once: true });
  }
  let late = false;
  const fireLate = () => {
    late = true;
    controller.abort(new DOMException('The time is over.', 'TimeoutError'));
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(fireLate, timeoutMs);
  return {
    signal: controller.signal,
    hasTimedOut: () => late,
    release: () => {
      clearTimeout(timer);
      for (const { signal, fire } of links) signal.removeEventListener('abort', fire);
    },
  };
}
