import { median } from 'simple-statistics';
import type { Video } from '../../../contract/ports/index.ts';
import { cpmTable } from '../data/cpm.ts';
import { cpmCategories, type CpmCategory } from '../intents.ts';

const dayMs = 86_400_000;
/** A niche in which nothing is published would have any score. */
export const leastSupply = 0.01;

/** One number of a score: what it is, where it comes from, how it was worked out. */
export type Input = { value: number; how: string; source: string };
export type Niche = {
  niche: string;
  demand: Input | undefined;
  supply: Input | undefined;
  /** US dollars a thousand views; `range` when a table gives one. */
  monetisation: (Input & { range?: { low: number; high: number } }) | undefined;
  /** `demand × monetisation / max(supply, 0.01)`; null when an input is missing. */
  score: number | null;
  missing: string[];
};

export type NicheData = {
  niche: string;
  videos: readonly Video[];
  /** How many were published in the period; undefined when that is not known. */
  totalVideos: number | undefined;
  days: number;
  source: string;
  /** When the views were counted. */
  atMs: number;
};
export type Monetisation = { cpmUsd?: number | undefined; category?: CpmCategory | undefined };

/** Works out the score of a niche. An input that is not known is never made up: then there is no score. */
export function scoreNiche(data: NicheData, monetised: Monetisation): Niche {
  const demand = demandOf(data);
  const supply = supplyOf(data);
  const monetisation = monetisationOf(monetised);
  const missing = [
    ...(demand ? [] : ['demand: no video of the period has a known number of views']),
    ...(supply ? [] : ['supply: the number of videos that were published is not known; give `totalVideos`']),
    ...(monetisation ? [] : [`monetisation: give \`cpmUsd\`, or \`category\`: one of ${cpmCategories.join(', ')}`]),
  ];
  const score =
    demand && supply && monetisation ? (demand.value * monetisation.value) / Math.max(supply.value, leastSupply) : null;
  return { niche: data.niche, demand, supply, monetisation, score, missing };
}

/** Views a day since a video was published; a younger one than a day counts as a day old. */
export const viewsPerDay = ({ views, publishedAt }: Video, atMs: number): number | undefined =>
  views === null ? undefined : views / Math.max((atMs - Date.parse(publishedAt)) / dayMs, 1);

function demandOf({ videos, source, atMs }: NicheData): Input | undefined {
  const rates = videos.map((video) => viewsPerDay(video, atMs)).filter((rate) => rate !== undefined);
  if (rates.length === 0) return undefined;
  return {
    value: median(rates) / 1_000,
    how: `thousand views a day of the median of ${rates.length} videos (views ÷ days since publication)`,
    source,
  };
}

function supplyOf({ totalVideos, days, source }: NicheData): Input | undefined {
  if (totalVideos === undefined) return undefined;
  const isCapped = totalVideos >= 1_000_000;
  return {
    value: totalVideos / days,
    how: `videos published a day: ${isCapped ? 'at least ' : ''}${totalVideos} in ${days} days`,
    source,
  };
}

function monetisationOf({ cpmUsd, category }: Monetisation): Niche['monetisation'] {
  if (cpmUsd !== undefined)
    return { value: cpmUsd, how: 'US dollars a thousand views', source: 'given with the request' };
  if (category === undefined) return undefined;
  const { low, high, ...row } = cpmTable.rows[category];
  return {
    value: (low + high) / 2,
    how: `US dollars a thousand views, the middle of ${low} to ${high}${'isOpen' in row ? ' and more' : ''} for ${category}`,
    source: `${cpmTable.source} (${cpmTable.title}; read on ${cpmTable.readOn})`,
    range: { low, high },
  };
}
