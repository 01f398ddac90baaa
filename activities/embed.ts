import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { heartbeating } from './heartbeat.ts';
import type { Embeddings, Vectors } from './ports.ts';

export type EmbedDeps = { vectors: Vectors; embeddings: Pick<Embeddings, 'embedder'>; metrics: Metrics; log: Logger };

/** Texts one activity takes: half a minute of the local model. */
const batchSize = 256;
/** Texts that are stored together: what a dead worker has to do again. */
const storedAtOnce = 16;

type Batch = { embedded: number; more: boolean; progress: { chunks: number; embedded: number } };

export const createEmbedActivities = ({ vectors, embeddings, metrics, log }: EmbedDeps) => ({
  /** Embeds the next texts that have no vector. Without a model there is nothing to do. */
  embedTexts: (): Promise<Batch> =>
    heartbeating(async (signal) => {
      const embedder = await embeddings.embedder();
      if (!embedder) return { embedded: 0, more: false, progress: { chunks: 0, embedded: 0 } };
      const missing = await vectors.missing(embedder.model, batchSize);
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
        metrics.chunksEmbedded.inc(some.length);
      }
      const progress = await vectors.progress(embedder.model);
      const more = missing.length === batchSize;
      if (!more && missing.length > 0) log.info({ ...progress, model: embedder.model }, 'all passages have vectors');
      return { embedded: missing.length, more, progress };
    }),
});
