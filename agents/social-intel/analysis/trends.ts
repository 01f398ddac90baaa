import type { SocialItem } from '../../../contract/ports/index.ts';
import { clusterItems } from './clusters.ts';

const dayMs = 86_400_000;

/** `from` to `until`, without the end, and the same time before `from`. ISO 8601. */
export type Period = { before: string; from: string; until: string; days: number };

export const periodOf = (untilMs: number, days: number): Period => ({
  before: new Date(untilMs - 2 * days * dayMs).toISOString(),
  from: new Date(untilMs - days * dayMs).toISOString(),
  until: new Date(untilMs).toISOString(),
  days,
});

export type Trend = {
  /** Items of the period, and of the one before. */
  now: number;
  before: number;
  /** `(now - before) / before`; null when there was none before. */
  growth: number | null;
};

export type Topic = Trend & { label: string; perDay: Record<string, number>; items: SocialItem[] };

export type TrendAnalysis = {
  total: Trend;
  /** By UTC day, each of the period. */
  perDay: Record<string, number>;
  topics: Topic[];
  /** Items of the period that are in no topic. */
  alone: number;
  /** Items without a date: they are counted nowhere. */
  undated: number;
};

/** Counts a day and growth against the time before, of all items and of each topic among them. */
export async function analyseTrends(
  all: readonly SocialItem[],
  period: Period,
  subject: string,
): Promise<TrendAnalysis> {
  const dated = all.filter(({ publishedAt }) => publishedAt !== null);
  const items = dated.filter(({ publishedAt }) => isIn(publishedAt, period.before, period.until));
  const { clusters, alone } = await clusterItems(items, subject);
  const topics = clusters
    .map(({ label, items: own }): Topic => ({
      label,
      ...trendOf(own, period),
      perDay: countDays(own, period),
      items: own.filter(({ publishedAt }) => isIn(publishedAt, period.from, period.until)).sort(byAttention),
    }))
    .filter(({ now, before }) => now + before > 1)
    .sort((a, b) => b.now - b.before - (a.now - a.before) || b.now - a.now);
  return {
    total: trendOf(items, period),
    perDay: countDays(items, period),
    topics,
    alone: alone.filter(({ publishedAt }) => isIn(publishedAt, period.from, period.until)).length,
    undated: all.length - dated.length,
  };
}

const isIn = (at: string | null, from: string, until: string): boolean => at !== null && at >= from && at < until;

function trendOf(items: readonly SocialItem[], { before, from, until }: Period): Trend {
  const now = items.filter(({ publishedAt }) => isIn(publishedAt, from, until)).length;
  const earlier = items.filter(({ publishedAt }) => isIn(publishedAt, before, from)).length;
  return { now, before: earlier, growth: earlier === 0 ? null : (now - earlier) / earlier };
}

function countDays(items: readonly SocialItem[], { from, until }: Period): Record<string, number> {
  const days: Record<string, number> = {};
  for (let at = Date.parse(from); at < Date.parse(until); at += dayMs) days[dayOf(new Date(at).toISOString())] = 0;
  for (const { publishedAt } of items)
    if (publishedAt !== null && isIn(publishedAt, from, until))
      days[dayOf(publishedAt)] = (days[dayOf(publishedAt)] ?? 0) + 1;
  return days;
}

const dayOf = (at: string): string => at.slice(0, 10);

const attention = ({ measures }: SocialItem): number =>
  (measures.points ?? 0) + (measures.comments ?? 0) + (measures.views ?? 0) / 100;

/** What drew most points, comments and views first, then the newest. */
const byAttention = (a: SocialItem, b: SocialItem): number =>
  attention(b) - attention(a) || (b.publishedAt ?? '').localeCompare(a.publishedAt ?? '');
