/** Limits concurrency: at most `count` callers run at a time, the others wait in the order in which they came. */
export function createSemaphore(count: number) {
  let free = count;
  const queue: (() => void)[] = [];

  async function acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) return void free--;
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        queue.splice(queue.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      queue.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  function release() {
    const next = queue.shift();
    if (next) next();
    else free++;
  }

  /**
   * Waits for a slot and keeps it while `work` runs. Rejects with the signal's reason when it fires during the wait.
   */
  return async function withSlot<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
}
