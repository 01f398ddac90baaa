import { Piscina } from 'piscina';
import type { Embedder } from '../../contract/ports/index.ts';
import type { EmbeddingJob } from './embedding-thread.ts';
import type { EmbeddingModel } from './model-folder.ts';

/**
 * An ONNX model on a thread of its own. The thread starts with the first text and ends, with the 80 MB it holds, after a
 * minute without one.
 */
export function createLocalEmbedder(model: EmbeddingModel): Embedder {
  let pool: Piscina | undefined;
  const startPool = () =>
    new Piscina({
      filename: new URL('./embedding-thread.ts', import.meta.url).href,
      name: 'embed',
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 60_000,
      recordTiming: false,
    });
  const run = (job: Omit<EmbeddingJob, 'model'>, signal: AbortSignal) =>
    (pool ??= startPool()).run({ ...job, model } satisfies EmbeddingJob, { signal }) as Promise<Float32Array>;
  return {
    model: model.name,
    relevanceThreshold: model.relevantFrom,
    embedPassages: async (passages, signal) => {
      const vectors: Float32Array[] = [];
      // One after the other, so that a query never waits for more than one passage.
      for (const { headings, text } of passages)
        vectors.push(await run({ lead: headings && `${headings}\n`, text }, signal));
      return vectors;
    },
    embedQuery: (text, signal) => run({ lead: model.queryPrefix, text }, signal),
    close: async () => void (await pool?.destroy()),
  };
}
