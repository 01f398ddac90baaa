import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { PassageIndex } from './passage-index.ts';

type Measured = Pick<Metrics, 'beforeScrape' | 'indexPassages' | 'indexVectors' | 'indexBytes' | 'knowledgeLag'>;
type Deps = { index: Pick<PassageIndex, 'name' | 'size'>; metrics: Measured; log: Logger; validMs?: number };

/** A scrape waits no longer; what comes later is told by the next. */
const waitsMs = 2_000;

/**
 * Has the size of this process's index, and how far it is behind, in its metrics.
 *
 * @param deps.validMs scrapes may be more frequent
 */
export function measureIndex({ index, metrics, log, validMs = 30_000 }: Deps): void {
  const { indexPassages, indexVectors, indexBytes, knowledgeLag } = metrics;
  let measuredAt = -Infinity;
  let measuring: Promise<void> | undefined;

  const measure = async () => {
    measuredAt = performance.now();
    try {
      const size = await index.size();
      // Nothing is said of an index that nobody asks.
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

  metrics.beforeScrape.push(async () => {
    if (performance.now() - measuredAt >= validMs) measuring ??= measure().finally(() => (measuring = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, waitsMs)));
    await Promise.race([measuring, late]);
    clearTimeout(timer);
  });
}
