import type { CpmCategory } from '../intents.ts';

/**
 * What advertisers pay for 1,000 views with an advertisement, in US dollars, by the kind of content. YouTube publishes
 * no such figures: these are what a trade blog reports, as a range. A caller's own figure is always better.
 */
export const cpmTable = {
  source: 'https://incomefromviews.com/blog/youtube-cpm-guide',
  title: 'Average YouTube CPM by Niche (2026 Benchmarks), a trade blog',
  readOn: '2026-11-29',
  /** `isOpen`: the source gives no upper end ("50+"). */
  rows: {
    finance: { low: 20, high: 50, isOpen: true },
    software_b2b: { low: 18, high: 45 },
    technology: { low: 10, high: 25 },
    education: { low: 8, high: 20 },
    health_fitness: { low: 6, high: 15 },
    entertainment: { low: 2, high: 6 },
    gaming: { low: 1.5, high: 4 },
  },
} as const satisfies {
  source: string;
  title: string;
  readOn: string;
  rows: Record<CpmCategory, { low: number; high: number; isOpen?: true }>;
};
