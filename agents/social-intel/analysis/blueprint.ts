import { median, quantile } from 'simple-statistics';
import type { ChannelCadence, Video } from '../../../contract/ports/index.ts';
import { viewsPerDay } from './niche-score.ts';
import { contentWords } from './words.ts';

const dayMs = 86_400_000;
/** The share of the videos that count as the best, and how many at least. */
const bestShare = 0.25;
const fewestBest = 3;
/** Fewer videos say nothing about what is common. */
export const fewestVideos = 8;
const mostWords = 8;
/** A word or a tag counts as common when at least this share of the best videos have it. */
const commonShare = 0.3;

/** How much of the best and of the other videos have something. */
export type Share = { what: string; best: number; others: number };

export type Blueprint = {
  best: (Video & { viewsPerDay: number })[];
  others: number;
  /** Videos without a known number of views. */
  left: number;
  lengthS: { best: Spread; others: Spread } | undefined;
  titleCharacters: { best: number; others: number };
  titlePatterns: Share[];
  titleWords: Share[];
  tags: Share[];
  weekdays: Share[];
  cadences: { channelId: string; channel: string; daysBetween: number; uploads: number }[];
};
export type Spread = { low: number; median: number; high: number };

const patterns: [string, (title: string) => boolean][] = [
  ['a number', (title) => /\d/.test(title)],
  ['a question', (title) => title.includes('?')],
  ['how to', (title) => /^how (to|i|we|you)\b/i.test(title)],
  ['two parts (: | – -)', (title) => /(: | \| | [–—-] )/.test(title)],
  ['brackets', (title) => /[([].+[)\]]/.test(title)],
  ['a word in capitals', (title) => /\b[A-Z]{4,}\b/.test(title)],
  ['an exclamation mark', (title) => title.includes('!')],
  ['I, my, you or your', (title) => /\b(i|i’m|i'm|my|you|your)\b/i.test(title)],
];

const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' });

/** What the best videos, by views a day, have more often than the others. It shows what goes together, not why. */
export function drawBlueprint(
  videos: readonly Video[],
  { niche, atMs, cadences }: { niche: string; atMs: number; cadences: readonly ChannelCadence[] },
): Blueprint | undefined {
  const rated = videos
    .flatMap((video) => {
      const rate = viewsPerDay(video, atMs);
      return rate === undefined ? [] : [{ ...video, viewsPerDay: rate }];
    })
    .sort((a, b) => b.viewsPerDay - a.viewsPerDay);
  if (rated.length < fewestVideos) return undefined;
  const count = Math.max(fewestBest, Math.round(rated.length * bestShare));
  const [best, others] = [rated.slice(0, count), rated.slice(count)];
  const compare = (what: string, has: (video: Video) => boolean): Share => ({
    what,
    best: shareOf(best, has),
    others: shareOf(others, has),
  });
  const common = (listOf: (video: Video) => string[]): Share[] =>
    [...new Set(best.flatMap(listOf))]
      .map((word) => compare(word, (video) => listOf(video).includes(word)))
      .filter((share) => share.best >= commonShare)
      .sort(byDifference)
      .slice(0, mostWords);
  const ofNiche = new Set(contentWords(niche));
  return {
    best,
    others: others.length,
    left: videos.length - rated.length,
    lengthS: spreadsOf(best, others),
    titleCharacters: { best: medianLength(best), others: medianLength(others) },
    titlePatterns: patterns.map(([what, has]) => compare(what, ({ title }) => has(title))).sort(byDifference),
    titleWords: common(({ title }) => [...new Set(contentWords(title))].filter((word) => !ofNiche.has(word))),
    tags: common(({ tags }) => [...new Set(tags.map((tag) => tag.toLowerCase()))]),
    weekdays: [...new Set(best.map(dayOf))]
      .map((day) => compare(day, (video) => dayOf(video) === day))
      .sort(byDifference),
    cadences: cadences.flatMap(({ channelId, uploads }) => {
      const channel = best.find((video) => video.channelId === channelId)?.channel ?? channelId;
      const daysBetween = gapOf(uploads);
      return daysBetween === undefined ? [] : [{ channelId, channel, daysBetween, uploads: uploads.length }];
    }),
  };
}

const dayOf = ({ publishedAt }: Video): string => weekday.format(new Date(publishedAt));
const byDifference = (a: Share, b: Share): number => b.best - b.others - (a.best - a.others) || b.best - a.best;
const shareOf = (videos: readonly Video[], has: (video: Video) => boolean): number =>
  videos.length === 0 ? 0 : videos.filter(has).length / videos.length;
const medianLength = (videos: readonly Video[]): number => median(videos.map(({ title }) => title.length));

function spreadsOf(best: readonly Video[], others: readonly Video[]): Blueprint['lengthS'] {
  const [a, b] = [spreadOf(best), spreadOf(others)];
  return a && b ? { best: a, others: b } : undefined;
}

function spreadOf(videos: readonly Video[]): Spread | undefined {
  const lengths = videos.map(({ durationS }) => durationS).filter((length) => length !== null);
  if (lengths.length === 0) return undefined;
  return { low: quantile(lengths, 0.25), median: median(lengths), high: quantile(lengths, 0.75) };
}

/** Days between one upload and the next, the median. */
function gapOf(uploads: readonly string[]): number | undefined {
  const times = uploads.map((at) => Date.parse(at)).sort((a, b) => b - a);
  const gaps = times.slice(1).map((at, index) => ((times[index] ?? at) - at) / dayMs);
  return gaps.length === 0 ? undefined : median(gaps);
}
