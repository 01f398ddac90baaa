/** Lets `count` callers through at a time, the others in the order in which they came. */
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

  /** Waits for a slot and holds it while `work` runs. Rejects with the signal's reason when that comes first. */
  return async function withSlot<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
}
