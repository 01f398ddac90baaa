import pLimit from 'p-limit';

/**
 * Runs the work for every item, at most `concurrency` items at a time. Each error lowers that number by one, down to
 * none: one bad item does not keep the others from their turn, and when the database does not answer, few items find
 * that out.
 *
 * @throws the error of the first item that failed, after the work that had started has ended
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const limit = pLimit({ concurrency, rejectOnClear: true });
  let remaining = concurrency;
  const runItem = (item: T) =>
    limit(async () => {
      try {
        await work(item);
      } catch (error) {
        remaining--;
        if (remaining > 0) limit.concurrency = remaining;
        else limit.clearQueue();
        throw error;
      }
    });
  const results = await Promise.allSettled(items.map(runItem));
  // Items start in order, so the first rejection is an error of `work`, and not that of an item that was never started.
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
