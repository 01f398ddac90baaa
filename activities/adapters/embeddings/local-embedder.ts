import { Piscina } from 'piscina';
import type { Embedder } from '../../ports.ts';
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
  const run = (text: string, signal: AbortSignal) => {
    const job: EmbeddingJob = { model, text };
    return (pool ??= startPool()).run(job, { signal }) as Promise<Float32Array>;
  };
  return {
    model: model.name,
    isCalibrated: model.isCalibrated,
    embedPassages: async (texts, signal) => {
      const vectors: Float32Array[] = [];
      // One after the other, so that a query never waits for more than one passage.
      for (const text of texts) vectors.push(await run(text, signal));
      return vectors;
    },
    embedQuery: (text, signal) => run(model.queryPrefix + text, signal),
    close: async () => void (await pool?.destroy()),
  };
}
