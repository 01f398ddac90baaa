import type { Embedder, Vectors } from '../../contract/ports/index.ts';

/** Texts that are stored together: what a dead worker has to do again. */
const storedAtOnce = 16;

/**
 * Makes and stores the vectors of the next texts that have none, and has the indexes take them over. When there are none
 * left, also those that somebody stored who did not come to that.
 *
 * @param onStored told how many were stored, each time
 * @returns how many there were, `limit` at the most; 0 when all is done
 */
export async function embedMissing(
  { vectors, embedder }: { vectors: Vectors; embedder: Embedder },
  limit: number,
  signal: AbortSignal,
  onStored: (count: number) => void = () => {},
): Promise<number> {
  const missing = await vectors.listMissing(embedder.model, limit);
  const stored: typeof missing = [];
  try {
    for (let from = 0; from < missing.length; from += storedAtOnce) {
      signal.throwIfAborted();
      const some = missing.slice(from, from + storedAtOnce);
      const made = await embedder.embedPassages(some, signal);
      await vectors.store(
        embedder.model,
        some.flatMap(({ tenant, hash }, i) => (made[i] ? [{ tenant, hash, vector: made[i] }] : [])),
      );
      stored.push(...some);
      onStored(some.length);
    }
  } finally {
    // Once for all of them: an index reads the whole of a document that has changed.
    if (stored.length > 0) await vectors.publish(embedder.model, stored);
  }
  if (missing.length === 0) await vectors.publish(embedder.model);
  return missing.length;
}
