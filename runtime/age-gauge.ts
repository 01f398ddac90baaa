import { Gauge, type GaugeConfiguration } from 'prom-client';

/** What was told longer ago is not shown: another process may know better by now. */
const staleAfterMs = 5 * 60_000;

/** A gauge of ages in seconds, which are as of the scrape. The one label says of what. */
export function createAgeGauge<Of extends string>(options: Omit<GaugeConfiguration<'of'>, 'collect'>) {
  const reports = new Map<Of, { oldest: Date | undefined; reportedAt: number }>();
  new Gauge({
    ...options,
    collect() {
      this.reset();
      const now = Date.now();
      for (const [of, { oldest, reportedAt: toldAt }] of reports) {
        if (now - toldAt > staleAfterMs) reports.delete(of);
        else this.set({ of }, oldest ? Math.max(0, now - oldest.getTime()) / 1_000 : 0);
      }
    },
  });
  return {
    /** @param oldest when the oldest one came; undefined when there is none */
    report: (of: Of, oldest: Date | undefined) => void reports.set(of, { oldest, reportedAt: Date.now() }),
  };
}
