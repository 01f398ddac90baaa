import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Embedder, PassageText } from '../../../contract/ports/index.ts';

/** The vectors take 1.5 KB each with 384 numbers: 30 MB when the cache is full. */
const maxVectors = 20_000;
/** Sentences for the embedder at once. Between two such batches the search notices that it has no more time. */
const batchSize = 8;

/**
 * Embeds the sentences of passages, and keeps the vectors in memory: a search that finds the same passages again needs
 * the model for its query only.
 */
export function createSentenceVectors() {
  const vectors = new LRUCache<string, Float32Array>({ max: maxVectors });

  /**
   * @param signal ends the work between two batches. The embedder does not get it: a local model that is ended in the
   *   middle of a text takes its thread with it.
   * @returns the vectors in the order of the sentences
   */
  return async (embedder: Embedder, sentences: PassageText[], signal: AbortSignal): Promise<Float32Array[]> => {
    const keys = sentences.map((sentence) => keyOf(embedder.model, sentence));
    const found = new Map<string, Float32Array>();
    const missing = new Map<string, PassageText>();
    for (const [i, key] of keys.entries()) {
      const vector = vectors.get(key);
      const sentence = sentences[i];
      if (vector) found.set(key, vector);
      else if (sentence) missing.set(key, sentence);
    }
    const entries = [...missing];
    for (let from = 0; from < entries.length; from += batchSize) {
      signal.throwIfAborted();
      const batch = entries.slice(from, from + batchSize);
      const texts = batch.map(([, sentence]) => sentence);
      const embedded = await embedder.embedPassages(texts, new AbortController().signal);
      for (const [i, [key]] of batch.entries()) {
        const vector = embedded[i];
        if (!vector) continue;
        found.set(key, vector);
        vectors.set(key, vector);
      }
    }
    return keys.map((key) => found.get(key) ?? new Float32Array());
  };
}

const keyOf = (model: string, { headings, text }: PassageText) =>
  createHash('sha256')
    .update(JSON.stringify([model, headings, text]))
    .digest('base64');
