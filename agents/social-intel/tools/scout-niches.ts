import type { Social } from '../../../contract/ports/index.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { leastSupply, scoreNiche, type Input, type Niche } from '../analysis/niche-score.ts';
import { NicheScout } from '../intents.ts';
import { answerOf, decimal, link, plain, short } from './present.ts';
import { checkVideos, givenSample, searchVideos, type Sample } from './videos.ts';

const shownVideos = 3;
const formula = `Score = demand × monetisation ÷ max(supply, ${leastSupply}): what the median video earns a day in US dollars, before YouTube’s share, for each video that is published a day. It compares niches; it is no forecast.`;

/** Scores niches of YouTube, with every input and its source. */
export const scoutNichesTool = (social: Social, now: () => number = Date.now) =>
  typedTool({
    name: 'scout_niches',
    description:
      'Scores niches of YouTube: demand × monetisation ÷ supply, with every input shown. Monetisation comes from `cpmUsd` or a `category`; without it there is no score. Each niche costs one of the few searches of a day.',
    answers: true,
    input: NicheScout,
    check(input) {
      checkVideos(input);
    },
    async run({ niches, days, cpmUsd, category, region, videos, totalVideos, until }, { signal }) {
      const nowMs = until === undefined ? now() : Date.parse(until);
      const scored: (Niche & { sample: Sample })[] = [];
      for (const niche of niches) {
        const sample = videos
          ? givenSample(videos, { days, atMs: nowMs, totalVideos })
          : await searchVideos(social, { niche, days, region, order: 'relevance' }, { nowMs, signal });
        scored.push({ ...scoreNiche({ niche, days, ...sample }, { cpmUsd, category }), sample });
      }
      scored.sort((a, b) => (b.score ?? -1) - (a.score ?? -1));
      const answer = answerOf(
        [
          [`**Niches of YouTube, the last ${days} days${region === undefined ? '' : `, for viewers in ${region}`}**`],
          ...scored.map(nicheLines),
          [
            formula,
            'Not included: costs, sponsors, Shorts as a market of their own, seasons, and how well a newcomer would do. Titles are those of their authors.',
          ],
        ],
        { isInFile: false },
      );
      return {
        output: {
          answer,
          data: {
            days,
            niches: scored.map(({ niche, score, demand, supply, monetisation, missing }) => ({
              niche,
              score,
              demand: demand ?? null,
              supply: supply ?? null,
              monetisation: monetisation ?? null,
              missing,
            })),
          },
        },
        summary: scored
          .map(({ niche, score }) => `${niche}: ${score === null ? 'no score' : decimal(score)}`)
          .join('; '),
      };
    },
  });

function nicheLines({ niche, score, demand, supply, monetisation, missing, sample }: Niche & { sample: Sample }) {
  const input = (name: string, value: Input | undefined) =>
    value ? [`- ${name}: ${decimal(value.value)} (${value.how}; ${value.source})`] : [];
  const range = monetisation?.range;
  const factor = demand && supply ? demand.value / Math.max(supply.value, leastSupply) : undefined;
  const span =
    range && factor !== undefined
      ? `, ${decimal(factor * range.low)} to ${decimal(factor * range.high)} over the range of the table`
      : '';
  const examples = [...sample.videos].sort((a, b) => (b.views ?? 0) - (a.views ?? 0)).slice(0, shownVideos);
  return [
    `**${plain(niche)}**: ${score === null ? 'no score' : `score ${decimal(score)}${span}`}`,
    ...input('Demand', demand),
    ...input('Supply', supply),
    ...input('Monetisation', monetisation),
    ...missing.map((what) => `- Missing: ${what}`),
    ...examples.map(
      ({ title, url, channel, views }) =>
        `- Seen: ${link(short(title), url)} (${plain(channel)}, ${views ?? 'unknown'} views)`,
    ),
    ...sample.notes.map((note) => `- ${note}`),
  ];
}
