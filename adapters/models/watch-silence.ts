import { linkAbort } from '../../runtime/link-abort.ts';

/**
 * Aborts a response when the provider sends nothing for too long. Only the time spent waiting for the provider counts:
 * a slow reader of the stream aborts nothing.
 *
 * @param signal the caller's signal
 * @param idleMs longest silence, in milliseconds
 * @returns `signal`: aborts with the caller's signal or when the provider is silent for too long; `wait`, `iterate`:
 *   wait for the provider under the watch; `release`: to be called at the end
 */
export function watchSilence(signal: AbortSignal, idleMs: number) {
  const silence = new AbortController();
  const linked = linkAbort([signal, silence.signal]);
  const wait = async <T>(pending: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => silence.abort(), idleMs);
    try {
      return await pending;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    signal: linked.signal,
    isSilent: () => silence.signal.aborted,
    wait,
    async *iterate<T>(source: AsyncIterable<T>): AsyncIterable<T> {
      const iterator = source[Symbol.asyncIterator]();
      try {
        for (let next = await wait(iterator.next()); !next.done; next = await wait(iterator.next())) yield next.value;
      } finally {
        await iterator.return?.();
      }
    },
    release: linked.release,
  };
}
