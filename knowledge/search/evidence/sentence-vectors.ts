import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Embedder, PassageText } from '../../../contract/ports/index.ts';

/** The vectors take 1.5 KB each with 384 numbers: 30 MB when the cache is full. */
const maxVectors = 20_000;

/**
 * Embeds the sentences of passages, and keeps the vectors in memory: a search that finds the same passages again needs
 * the model for its query only.
 */
export function createSentenceVectors() {
  const vectors = new LRUCache<string, Float32Array>({ max: maxVectors });

  /** @returns the vectors in the order of the sentences */
  return async (embedder: Embedder, sentences: PassageText[], signal: AbortSignal): Promise<Float32Array[]> => {
    const keys = sentences.map((sentence) => keyOf(embedder.model, sentence));
    const found = new Map(
      keys.flatMap((key) => (vectors.has(key) ? [[key, vectors.get(key)]] : [])) as [string, Float32Array][],
    );
    const missing = new Map(
      keys.flatMap((key, i) => (found.has(key) ? [] : [[key, sentences[i]]])) as [string, PassageText][],
    );
    if (missing.size > 0) {
      const embedded = await embedder.embedPassages([...missing.values()], signal);
      for (const [i, key] of [...missing.keys()].entries()) {
        const vector = embedded[i];
        if (!vector) continue;
        found.set(key, vector);
        vectors.set(key, vector);
      }
    }
    return keys.map((key) => found.get(key) ?? new Float32Array());
  };
}
export type SentenceVectors = ReturnType<typeof createSentenceVectors>;

const keyOf = (model: string, { headings, text }: PassageText) =>
  createHash('sha256')
    .update(JSON.stringify([model, headings, text]))
    .digest('base64');
