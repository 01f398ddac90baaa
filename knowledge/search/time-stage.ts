import type { Metrics } from '../../runtime/metrics.ts';

/** Runs one stage of a search and observes how long it took. */
export type TimeStage = <T>(stage: string, work: () => Promise<T>) => Promise<T>;

export const createTimeStage =
  (metrics: Pick<Metrics, 'searchStages'> | undefined): TimeStage =>
  async (stage, work) => {
    const startedAt = performance.now();
    const result = await work();
    metrics?.searchStages.observe({ stage }, (performance.now() - startedAt) / 1_000);
    return result;
  };
