import { linkAbort } from '../../runtime/linked-abort.ts';

/**
 * Gives up a response that is silent for too long. Only the time spent waiting for the provider counts, so a reader that
 * is slow itself gives nothing up.
 *
 * @param signal of the caller; `signal` of the watch fires with it, or when the silence is over the limit
 */
export function watchSilence(signal: AbortSignal, idleMs: number) {
  const silence = new AbortController();
  const either = linkAbort([signal, silence.signal]);
  const wait = async <T>(pending: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => silence.abort(), idleMs);
    try {
      return await pending;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    signal: either.signal,
    isSilent: () => silence.signal.aborted,
    wait,
    async *over<T>(source: AsyncIterable<T>): AsyncIterable<T> {
      const iterator = source[Symbol.asyncIterator]();
      try {
        for (let next = await wait(iterator.next()); !next.done; next = await wait(iterator.next())) yield next.value;
      } finally {
        await iterator.return?.();
      }
    },
    release: either.release,
  };
}
