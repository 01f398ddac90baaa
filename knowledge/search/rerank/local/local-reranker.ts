import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AlfredError } from '../../../../contract/errors.ts';
import type { Reranker } from '../../../../contract/ports/index.ts';
import type { Config } from '../../../../runtime/config.ts';
import type { Logger } from '../../../../runtime/logger.ts';
import type { CrossEncoder, ScoringJob } from './cross-encoder-thread.ts';
import { localRerankModels } from './local-models.ts';
import { createModelThread } from './model-thread.ts';

type Settings = Pick<
  Config,
  'RERANK' | 'RERANK_MODEL_DIR' | 'RERANK_CANDIDATES' | 'RERANK_TIMEOUT_MS' | 'RERANK_EVIDENCE' | 'ALFRED_DATA_DIR'
>;

/** The ten passages that are judged, and some whose neighbours are joined to them. */
const defaultCandidates = 12;
/** As many as are read for the time that four passages take. */
const readSentences = 16;
/** Twelve passages take about a second of one core; the first search also loads the model. */
const defaultTimeoutMs = 5_000;
/** Searches take turns on one thread: the fourth waits for about a second. */
const maxAtOnce = 4;
/** A model that cannot be run is not tried again for this long. */
const brokenPauseMs = 60_000;
const idleMs = 600_000;

/**
 * The cross-encoder on this machine that RERANK names; undefined when it names none.
 *
 * @param options.recheckMs after this time the folder of a missing model, which may be downloading, is checked again
 */
export function createLocalReranker(config: Settings, log: Logger, { recheckMs = 5_000 } = {}): Reranker | undefined {
  if (config.RERANK === undefined || config.RERANK === 'none') return undefined;
  const { name, maxTokens, languages } = localRerankModels[config.RERANK];
  const dir = config.RERANK_MODEL_DIR ?? join(config.ALFRED_DATA_DIR, 'rerank-model');
  const model: CrossEncoder = {
    modelFile: join(dir, 'model.onnx'),
    tokenizerFile: join(dir, 'tokenizer.json'),
    maxTokens,
  };
  const thread = createModelThread<ScoringJob, number>({
    file: new URL('./cross-encoder-thread.ts', import.meta.url),
    task: 'score',
    idleMs,
  });
  let isPresent = false;
  let isMissingLogged = false;
  let checkedAt = -Infinity;

  const isReady = async (): Promise<boolean> => {
    if (isPresent || performance.now() - checkedAt < recheckMs) return isPresent;
    checkedAt = performance.now();
    isPresent = (await isFile(model.modelFile)) && (await isFile(model.tokenizerFile));
    if (isPresent) log.info({ model: name, dir }, 'the reranking model is at hand');
    else if (!isMissingLogged) {
      isMissingLogged = true;
      log.warn({ model: name, dir }, 'the reranking model is missing: searches go on without it until it is there');
    }
    return isPresent;
  };

  return {
    model: name,
    candidates: config.RERANK_CANDIDATES ?? defaultCandidates,
    sentences: readSentences,
    timeoutMs: config.RERANK_TIMEOUT_MS ?? defaultTimeoutMs,
    maxAtOnce,
    evidence: config.RERANK_EVIDENCE,
    languages,
    isReady,
    async scores(query, texts, signal) {
      if (!(await isReady()))
        throw new AlfredError(
          'model_unavailable',
          `There is no reranking model in ${dir}: \`npm start\` fetches it, or put its model.onnx and tokenizer.json there and set RERANK_MODEL_DIR.`,
          { retryAfterMs: recheckMs },
        );
      const scores: number[] = [];
      try {
        // One at a time: searches at the same time take turns, and one that is given up ends after a passage.
        for (const passage of texts) scores.push(await thread.run({ model, query, passage }, signal));
        return scores;
      } catch (error) {
        if (signal.aborted || error instanceof AlfredError) throw error;
        throw new AlfredError(
          'model_unavailable',
          `The reranking model in ${dir} cannot be used: ${(error as Error).message}. Delete the folder, and \`npm start\` fetches it again.`,
          { cause: error, retryAfterMs: brokenPauseMs },
        );
      }
    },
    close: () => thread.close(),
  };
}

const isFile = (path: string) =>
  stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
