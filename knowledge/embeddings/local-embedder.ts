import { Piscina } from 'piscina';
import type { Embedder } from '../../contract/ports/index.ts';
import type { EmbeddingJob } from './embedding-thread.ts';
import type { EmbeddingModel } from './model-folder.ts';

/**
 * Embeds texts with an ONNX model on a worker thread. The thread starts with the first
 * text. It ends after a minute without work, which frees the 80 MB of the model.
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
    evidence: model.evidence,
    embedPassages: async (passages, signal) => {
      const vectors: Float32Array[] = [];
      // One at a time, so that a query waits for one passage at most.
      for (const { headings, text } of passages)
        vectors.push(await run({ prefix: headings && `${headings}\n`, text }, signal));
      return vectors;
    },
    embedQuery: (text, signal) => run({ prefix: model.queryPrefix, text }, signal),
    close: async () => {
      await pool?.destroy();
    },
  };
}
