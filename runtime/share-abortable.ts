/** A run that callers share. `callers` still wait for it. */
type SharedRun<Result> = { result: Promise<Result>; abort: AbortController; callers: number };

/**
 * Shares runs among concurrent callers with the same key. A caller whose signal aborts stops waiting, and the others go
 * on. The run is aborted when no caller is left; the next caller starts a new one.
 *
 * @param run the work; its signal aborts when all callers have left
 */
export function shareAbortable<Target, Result>(
  run: (target: Target, signal: AbortSignal) => Promise<Result>,
  keyOf: (target: Target) => unknown,
): (target: Target, signal: AbortSignal) => Promise<Result> {
  const runs = new Map<unknown, SharedRun<Result>>();

  const start = (target: Target): SharedRun<Result> => {
    const abort = new AbortController();
    const shared = { result: run(target, abort.signal), abort, callers: 0 };
    runs.set(keyOf(target), shared);
    const forget = () => {
      if (runs.get(keyOf(target)) === shared) runs.delete(keyOf(target));
    };
    // Also when it fails after all callers have left.
    shared.result.then(forget, forget);
    return shared;
  };

  return async (target, signal) => {
    signal.throwIfAborted();
    const shared = runs.get(keyOf(target)) ?? start(target);
    shared.callers++;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave);
    try {
      return await Promise.race([shared.result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      shared.callers--;
      if (shared.callers === 0) {
        if (runs.get(keyOf(target)) === shared) runs.delete(keyOf(target));
        // Without effect when the run has ended.
        shared.abort.abort(signal.reason);
      }
    }
  };
}
