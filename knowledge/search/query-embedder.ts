import { LRUCache } from 'lru-cache';
import type { Embedder, Embeddings } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { TimeStage } from './time-stage.ts';

type Deps = {
  embeddings: Embeddings;
  log: Logger;
  metrics?: Pick<Metrics, 'searchCache'> | undefined;
  timeStage: TimeStage;
};
type EmbeddedQuery = { embedder: Embedder; vector: Float32Array };

/**
 * Embeds queries, and keeps the vectors of the last thousand in memory.
 *
 * @returns undefined when there is no embedder or it fails: then the search uses words only
 */
export function createQueryEmbedder({ embeddings, log, metrics, timeStage }: Deps) {
  const vectors = new LRUCache<string, Float32Array>({ max: 1_000 });

  return async (query: string, signal: AbortSignal | undefined): Promise<EmbeddedQuery | undefined> => {
    const embedder = await embeddings.embedder();
    if (!embedder) return undefined;
    const key = `${embedder.model}\n${query}`;
    const cached = vectors.get(key);
    metrics?.searchCache.inc({ outcome: cached ? 'hit' : 'miss' });
    if (cached) return { embedder, vector: cached };
    try {
      const embed = () => embedder.embedQuery(query, signal ?? new AbortController().signal);
      const vector = await timeStage('embed', embed);
      vectors.set(key, vector);
      return { embedder, vector };
    } catch (error) {
      signal?.throwIfAborted();
      // A result by words only is better than none; its `mode` says so.
      log.warn({ err: error, model: embedder.model }, 'a query could not be embedded: it is searched by words alone');
      return undefined;
    }
  };
}
