/**
 * Repeats a step of the sweep until a batch is not full, at most 20 times: the next sweep goes on.
 *
 * @param step handles at most so many rows, and returns how many there were
 * @returns how many rows there were in all
 */
export async function inBatches(
  signal: AbortSignal,
  { size = 50, maxBatches = 20 }: { size?: number; maxBatches?: number },
  step: (limit: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < maxBatches; batch++) {
    signal.throwIfAborted();
    const count = await step(size);
    total += count;
    if (count < size) break;
  }
  return total;
}
