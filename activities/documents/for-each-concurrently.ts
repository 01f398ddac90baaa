import pLimit from 'p-limit';

/**
 * Runs the work for every item, at most `concurrency` items at a time.
 *
 * @throws the first error, after the work for all items has ended
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const limit = pLimit(concurrency);
  const results = await Promise.allSettled(items.map((item) => limit(() => work(item))));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
