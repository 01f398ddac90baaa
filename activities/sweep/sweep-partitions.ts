import type { Partitions } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';

export type PartitionSweepDeps = { partitions: Partitions; metrics: Pick<Metrics, 'eventPartitions'>; log: Logger };

/**
 * Makes the partitions of coming months and drops empty ones of past months. An error is only logged: rows without a
 * partition of their own go to the default one, so nothing depends on it.
 */
export async function sweepPartitions(
  { partitions, metrics, log }: PartitionSweepDeps,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const { partition, change } of await partitions.align(signal)) {
      metrics.eventPartitions.inc({ change });
      if (change === 'made' || change === 'dropped')
        log.info({ partition, change }, 'a partition of events was made or dropped');
    }
  } catch (error) {
    signal.throwIfAborted();
    metrics.eventPartitions.inc({ change: 'failed' });
    log.warn({ err: error }, 'the partitions of events could not be made or dropped');
  }
}
