type Enter = () => void;

/** Limits concurrency: at most `count` callers run at a time, the others wait in the order in which they came. */
export function createSemaphore(count: number) {
  const withTurn = createFairSemaphore(count);

  /**
   * Waits for a slot and keeps it while `work` runs. Rejects with the signal's reason when it fires during the wait.
   */
  return <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => withTurn('', signal, work);
}

/**
 * Limits concurrency as `createSemaphore` does, for callers of several owners: those who wait take turns, so the many
 * calls of one owner delay another one by a turn.
 */
export function createFairSemaphore(count: number) {
  let free = count;
  /** By owner, those who had no slot for the longest time first. */
  const queues = new Map<string, Enter[]>();

  async function acquire(owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) return void free--;
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        const queue = queues.get(owner) ?? [];
        queue.splice(queue.indexOf(enter), 1);
        if (queue.length === 0) queues.delete(owner);
        reject(signal.reason as Error);
      };
      const queue = queues.get(owner);
      if (queue) queue.push(enter);
      else queues.set(owner, [enter]);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  function release() {
    for (const [owner, queue] of queues) {
      const next = queue.shift();
      queues.delete(owner);
      if (queue.length > 0) queues.set(owner, queue);
      if (next) return next();
    }
    free++;
  }

  /** Waits for a slot of `owner` and keeps it while `work` runs. Rejects as `createSemaphore` does. */
  return async function withTurn<T>(owner: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await acquire(owner, signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
}
