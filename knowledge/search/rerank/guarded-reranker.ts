import { AlfredError } from '../../../contract/errors.ts';
import { linkAbort } from '../../../runtime/link-abort.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { Reranker } from '../../../contract/ports/index.ts';

/** One that did not answer in time is left alone for so long, so that not every search waits for it in vain. */
const restMs = 5_000;

type Deps = { reranker: Reranker; log: Logger; metrics?: Pick<Metrics, 'searchReranks'> | undefined };

/** Asks a reranker within its time; a search without its order is better than no search, or one that waits. */
export function createGuardedReranker({ reranker, log, metrics }: Deps) {
  let restsUntil = -Infinity;
  const counted = (outcome: string) => metrics?.searchReranks.inc({ outcome });

  return {
    /** Whether it is left alone for a while. To be asked once a search, before anything is read for it. */
    rests(): boolean {
      const isResting = performance.now() < restsUntil;
      if (isResting) counted('resting');
      return isResting;
    },

    /**
     * @returns a score for each text, or undefined when there is none to be had
     * @throws the signal's reason, and nothing else
     */
    async scores(query: string, texts: string[], signal?: AbortSignal): Promise<number[] | undefined> {
      const limit = linkAbort(signal ? [signal] : [], { timeoutMs: reranker.timeoutMs });
      try {
        const scores = await reranker.scores(query, texts, limit.signal);
        counted('done');
        return scores;
      } catch (error) {
        signal?.throwIfAborted();
        const { code, retryAfterMs = 0 } = error instanceof AlfredError ? error : new AlfredError('internal');
        const [outcome, pauseMs] = limit.hasTimedOut() ? (['late', restMs] as const) : [code, retryAfterMs];
        counted(outcome);
        restsUntil = performance.now() + pauseMs;
        const { model, timeoutMs } = reranker;
        const why = outcome === 'late' ? { timeoutMs } : { err: error };
        log.warn({ ...why, model, outcome, pauseMs }, 'a search was not reranked: it goes by the order of its lists');
        return undefined;
      } finally {
        limit.release();
      }
    },
  };
}
