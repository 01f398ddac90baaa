import pLimit from 'p-limit';
import { Piscina } from 'piscina';
import type { Embedder, PassageText, PassageVectors } from '../../contract/ports/index.ts';
import { sentencesOf } from '../../contract/rules/quote.ts';
import type { EmbeddingJob } from './embedding-thread.ts';
import type { EmbeddingModel } from './model-folder.ts';

/**
 * Embeds texts with an ONNX model on worker threads. A thread starts when there is a text for it. It ends after a
 * minute without work, which frees its copy of the model.
 *
 * A signal never reaches a thread: a thread that is ended inside onnxruntime takes the process with it. What has
 * begun runs to its end, and nothing more is started.
 *
 * @param threads passages that are embedded side by side; each thread has a copy of the model
 */
export function createLocalEmbedder(model: EmbeddingModel, threads = 1): Embedder {
  // No more passages than threads are handed over, so that a query waits for one passage at most.
  const limit = pLimit(threads);
  let pool: Piscina | undefined;
  const startPool = () =>
    new Piscina({
      filename: new URL('./embedding-thread.ts', import.meta.url).href,
      name: 'embed',
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 60_000,
      recordTiming: false,
    });
  const running = new Set<Promise<PassageVectors>>();
  let isClosed = false;
  const run = async (job: Omit<EmbeddingJob, 'model'>): Promise<PassageVectors> => {
    if (isClosed) throw new Error('the embedder is closed');
    const embedded = (pool ??= startPool()).run({ ...job, model } satisfies EmbeddingJob) as Promise<PassageVectors>;
    running.add(embedded);
    return embedded.finally(() => running.delete(embedded));
  };
  return {
    model: model.name,
    evidence: model.evidence,
    embedPassages: (passages, signal) =>
      Promise.all(
        passages.map((passage) =>
          limit(() => {
            signal.throwIfAborted();
            const { headings } = passage;
            const prefix = `${model.passagePrefix}${headings && `${headings}\n`}`;
            return run({ prefix, sentences: partsOf(passage) });
          }),
        ),
      ),
    embedQuery: async (text, signal) => {
      signal.throwIfAborted();
      return (await run({ prefix: model.queryPrefix, sentences: [text] })).vector;
    },
    close: async () => {
      isClosed = true;
      // The pool's own way to close ends threads that are at work or just starting.
      await Promise.allSettled(running);
      await pool?.destroy();
    },
  };
}

/** A passage's text, split where its sentences begin. The white space between two belongs to the first. */
function partsOf({ text }: PassageText): string[] {
  const starts = sentencesOf(text).map(({ start }) => start);
  return starts.map((start, i) => text.slice(i === 0 ? 0 : start, starts[i + 1]));
}
