import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withHeartbeat } from '../activity-context.ts';
import type { Embedder, Embeddings, Vectors } from '../../contract/ports/index.ts';

export type EmbedDeps = { vectors: Vectors; embeddings: Pick<Embeddings, 'embedder'>; metrics: Metrics; log: Logger };

/** Texts per activity: half a minute of the local model. */
const batchSize = 256;
/** Texts per write to the database: at most this much work is repeated after a worker dies. */
const textsPerWrite = 16;

type Batch = { embedded: number; more: boolean; progress: { chunks: number; embedded: number } };

export const createEmbedActivities = ({ vectors, embeddings, metrics, log }: EmbedDeps) => ({
  /** Embeds the next texts that have no vector. Does nothing when no embedding model is configured. */
  embedTexts: (): Promise<Batch> =>
    withHeartbeat(async (signal) => {
      const embedder = await embeddings.embedder();
      if (!embedder) return { embedded: 0, more: false, progress: { chunks: 0, embedded: 0 } };
      const embedded = await embedMissing({ vectors, embedder }, batchSize, signal, (count) =>
        metrics.chunksEmbedded.inc(count),
      );
      const progress = await vectors.progress(embedder.model);
      const more = embedded > 0;
      if (!more) log.info({ ...progress, model: embedder.model }, 'all passages have vectors');
      return { embedded, more, progress };
    }),
});

/**
 * Embeds the next texts that have no vector, stores their vectors and publishes them to the indexes. When no text is
 * left, publishes all vectors, including those stored by a worker that died before publishing.
 *
 * @param onStored called after each write with the number of stored vectors
 * @returns the number of texts, at most `limit`; 0 when none is left
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
    for (let from = 0; from < missing.length; from += textsPerWrite) {
      signal.throwIfAborted();
      const texts = missing.slice(from, from + textsPerWrite);
      const embedded = await embedder.embedPassages(texts, signal);
      await vectors.store(
        embedder.model,
        texts.flatMap(({ tenant, hash }, i) => (embedded[i] ? [{ tenant, hash, ...embedded[i] }] : [])),
      );
      stored.push(...texts);
      onStored(texts.length);
    }
  } finally {
    // Once for the whole batch: to publish, an index reads every changed document completely.
    if (stored.length > 0) await vectors.publish(embedder.model, stored);
  }
  if (missing.length === 0) await vectors.publish(embedder.model);
  return missing.length;
}
