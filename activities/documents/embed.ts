import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { embedMissing } from './embed-missing.ts';
import { heartbeating } from '../heartbeat.ts';
import type { Embeddings, Vectors } from '../../contract/ports/index.ts';

export type EmbedDeps = { vectors: Vectors; embeddings: Pick<Embeddings, 'embedder'>; metrics: Metrics; log: Logger };

/** Texts one activity takes: half a minute of the local model. */
const batchSize = 256;

type Batch = { embedded: number; more: boolean; progress: { chunks: number; embedded: number } };

export const createEmbedActivities = ({ vectors, embeddings, metrics, log }: EmbedDeps) => ({
  /** Embeds the next texts that have no vector. Without a model there is nothing to do. */
  embedTexts: (): Promise<Batch> =>
    heartbeating(async (signal) => {
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
