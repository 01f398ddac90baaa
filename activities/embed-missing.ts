import type { Embedder, Vectors } from './ports.ts';

/** Texts that are stored together: what a dead worker has to do again. */
const storedAtOnce = 16;

/**
 * Makes and stores the vectors of the next texts that have none.
 *
 * @param onStored told how many were stored, each time
 * @returns how many there were, `limit` at the most
 */
export async function embedMissing(
  { vectors, embedder }: { vectors: Vectors; embedder: Embedder },
  limit: number,
  signal: AbortSignal,
  onStored: (count: number) => void = () => {},
): Promise<number> {
  const missing = await vectors.missing(embedder.model, limit);
  for (let from = 0; from < missing.length; from += storedAtOnce) {
    signal.throwIfAborted();
    const some = missing.slice(from, from + storedAtOnce);
    const made = await embedder.embedPassages(
      some.map(({ text }) => text),
      signal,
    );
    await vectors.store(
      embedder.model,
      some.flatMap(({ tenant, hash }, i) => (made[i] ? [{ tenant, hash, vector: made[i] }] : [])),
    );
    onStored(some.length);
  }
  return missing.length;
}
