/** The reason of an abort by time. */
const tooLate = Symbol('too late');

/**
 * A signal for the parts of one connection: it fires when the caller's signal does, when a part takes too long, and at
 * `close`.
 */
export function createDeadline(outer: AbortSignal | undefined) {
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', onAbort, { once: true });
  if (outer?.aborted) onAbort();
  return {
    signal,
    isTooLate: () => signal.reason === tooLate,
    /** Rejects as soon as the signal fires, also when `work` takes no notice of it. */
    within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        // A longer timer would end at once.
        const timer = setTimeout(() => controller.abort(tooLate), Math.min(limitMs, 2_147_483_647));
        const fail = () => finish(() => reject(signal.reason as Error));
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', fail);
          settle();
        };
        signal.addEventListener('abort', fail);
        if (signal.aborted) return fail();
        work().then(
          (value) => finish(() => resolve(value)),
          (error: Error) => finish(() => reject(error)),
        );
      });
    },
    close() {
      outer?.removeEventListener('abort', onAbort);
      controller.abort();
    },
  };
}
