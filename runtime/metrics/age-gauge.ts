import { Gauge, type GaugeConfiguration } from 'prom-client';

/** Older reports are not shown: by then another process may have newer ones. */
const staleAfterMs = 5 * 60_000;

/**
 * A gauge of ages in seconds. Ages are computed at each scrape, so they grow between two reports. The one label, `of`,
 * names what the age is about.
 */
export function createAgeGauge<Of extends string>(options: Omit<GaugeConfiguration<'of'>, 'collect'>) {
  const reports = new Map<Of, { oldest: Date | undefined; reportedAt: number }>();
  new Gauge({
    ...options,
    collect() {
      this.reset();
      const now = Date.now();
      for (const [of, { oldest, reportedAt }] of reports) {
        if (now - reportedAt > staleAfterMs) reports.delete(of);
        else this.set({ of }, oldest ? Math.max(0, now - oldest.getTime()) / 1_000 : 0);
      }
    },
  });
  return {
    /** @param oldest arrival of the oldest item; undefined when none waits, which shows as age 0 */
    report: (of: Of, oldest: Date | undefined) => void reports.set(of, { oldest, reportedAt: Date.now() }),
  };
}
