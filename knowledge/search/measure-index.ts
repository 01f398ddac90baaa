import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import type { PassageIndex } from './passage-index.ts';

type IndexMetrics = Pick<Metrics, 'beforeScrape' | 'indexPassages' | 'indexVectors' | 'indexBytes' | 'knowledgeLag'>;
type Deps = { index: Pick<PassageIndex, 'name' | 'size'>; metrics: IndexMetrics; log: Logger; validMs?: number };

/** A scrape waits no longer for a measurement. A later result is shown by the next scrape. */
const scrapeTimeoutMs = 2_000;

/**
 * Exports the size of this process's index, and how far it lags behind Postgres, as metrics. Measures before a scrape.
 *
 * @param deps.validMs how long a measurement is reused by later scrapes
 */
export function measureIndex({ index, metrics, log, validMs = 30_000 }: Deps): void {
  const { indexPassages, indexVectors, indexBytes, knowledgeLag } = metrics;
  let measuredAt = -Infinity;
  let measuring: Promise<void> | undefined;

  const measure = async () => {
    measuredAt = performance.now();
    try {
      const size = await index.size();
      // An index that this process has not searched yet has no size: it exports nothing.
      for (const gauge of [indexPassages, indexVectors, indexBytes]) gauge.reset();
      if (!size) return;
      const labels = { index: index.name };
      indexPassages.set(labels, size.passages);
      indexVectors.set(labels, size.vectors);
      if (size.bytes !== null) indexBytes.set(labels, size.bytes);
      knowledgeLag.report('index', size.behindSince);
    } catch (error) {
      for (const gauge of [indexPassages, indexVectors, indexBytes]) gauge.reset();
      log.warn({ err: error }, 'the size of the search index cannot be told');
    }
  };

  const startMeasuring = () => {
    measuring ??= measure().finally(() => {
      measuring = undefined;
    });
  };

  metrics.beforeScrape.push(async () => {
    if (performance.now() - measuredAt >= validMs) startMeasuring();
    await withTimeout(measuring, scrapeTimeoutMs, () => {});
  });
}
