import { AlfredError } from '../../../contract/errors.ts';
import { linkAbort } from '../../../runtime/link-abort.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { Reranker } from '../../../contract/ports/index.ts';

/** After a time-out the reranker is not called for this long, so that not every search waits for it in vain. */
const cooldownMs = 5_000;

type Deps = { reranker: Reranker; log: Logger; metrics?: Pick<Metrics, 'searchReranks'> | undefined };

/**
 * Guards searches against a slow, busy or failing reranker by a time-out, a limit of searches at once and a cool-down.
 * A search that is not reranked is better than one that fails or waits.
 */
export function createGuardedReranker({ reranker, log, metrics }: Deps) {
  const { model, candidates, sentences, timeoutMs, maxAtOnce = Infinity, evidence, languages } = reranker;
  let running = 0;
  let coolsDownUntil = -Infinity;
  const count = (outcome: string) => metrics?.searchReranks.inc({ outcome });

  return {
    model,
    candidates,
    sentences,
    evidence,
    languages,

    /** Whether the reranker may be called now. Call it once in a search, before passages are read for reranking. */
    async canBeCalled(): Promise<boolean> {
      const isCoolingDown = performance.now() < coolsDownUntil;
      const isMissing = !isCoolingDown && (await reranker.isReady?.()) === false;
      if (isCoolingDown || isMissing) count(isCoolingDown ? 'resting' : 'missing');
      return !isCoolingDown && !isMissing;
    },

    /**
     * @returns a score for each text; undefined when the reranker fails, is too slow or is busy with other searches
     * @throws the signal's reason, and nothing else
     */
    async scores(query: string, texts: string[], signal?: AbortSignal): Promise<number[] | undefined> {
      if (running >= maxAtOnce) {
        count('busy');
        return undefined;
      }
      running++;
      const limit = linkAbort(signal ? [signal] : [], { timeoutMs });
      try {
        const scores = await reranker.scores(query, texts, limit.signal);
        count('done');
        return scores;
      } catch (error) {
        signal?.throwIfAborted();
        const { code, retryAfterMs = 0 } = error instanceof AlfredError ? error : new AlfredError('internal');
        const [outcome, pauseMs] = limit.hasTimedOut() ? (['late', cooldownMs] as const) : [code, retryAfterMs];
        count(outcome);
        coolsDownUntil = performance.now() + pauseMs;
        const reason = outcome === 'late' ? { timeoutMs } : { err: error };
        log.warn(
          { ...reason, model, outcome, pauseMs },
          'a search was not reranked: it goes by the order of its lists',
        );
        return undefined;
      } finally {
        running--;
        limit.release();
      }
    },
  };
}
export type GuardedReranker = ReturnType<typeof createGuardedReranker>;
