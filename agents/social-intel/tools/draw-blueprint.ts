import type { JsonValue } from '../../../contract/json.ts';
import type { ChannelCadence, Social } from '../../../contract/ports/index.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { drawBlueprint, fewestVideos, type Blueprint, type Share, type Spread } from '../analysis/blueprint.ts';
import { viewsPerDay } from '../analysis/niche-score.ts';
import { VideoBlueprint } from '../intents.ts';
import { answerOf, decimal, link, percent, plain, short } from './present.ts';
import { checkVideos, givenSample, searchVideos, type Sample } from './videos.ts';

const mostChannels = 5;
const shownVideos = 8;

/** What the best videos of a niche have in common, from their data. */
export const drawBlueprintTool = (social: Social, now: () => number = Date.now) =>
  typedTool({
    name: 'draw_blueprint',
    description:
      'Compares the best videos of a niche on YouTube, by views a day, with the others: length, titles, tags, weekdays, how often their channels publish. With links. Costs one of the few searches of a day.',
    answers: true,
    input: VideoBlueprint,
    check(input) {
      checkVideos(input);
    },
    async run({ niche, days, region, videos, until }, { signal }) {
      const nowMs = until === undefined ? now() : Date.parse(until);
      const sample = videos
        ? givenSample(videos, { days, atMs: nowMs, totalVideos: undefined })
        : await searchVideos(social, { niche, days, region, order: 'viewCount' }, { nowMs, signal });
      const cadences = videos ? [] : await social.readCadence(bestChannels(sample), signal);
      const blueprint = drawBlueprint(sample.videos, { niche, atMs: sample.atMs, cadences });
      if (!blueprint) {
        const answer = `**${plain(niche)}**: ${sample.videos.length} videos of the last ${days} days were found, and at least ${fewestVideos} with known views are needed to compare the best with the others. Take more days or wider words.`;
        return { output: { answer, data: { niche, videos: sample.videos.length } }, summary: 'too few videos' };
      }
      return {
        output: {
          answer: answerFor({ niche, days, sample, blueprint }),
          data: {
            niche,
            days,
            ...blueprint,
            best: blueprint.best.map(({ title, url, channel, views, durationS, publishedAt, viewsPerDay: rate }) => ({
              title: short(title),
              url,
              channel,
              views,
              durationS,
              publishedAt,
              viewsPerDay: rate,
            })),
          } as unknown as JsonValue,
        },
        summary: `${blueprint.best.length} videos compared with ${blueprint.others}`,
      };
    },
  });

/** The channels of the videos with most views a day. */
function bestChannels({ videos, atMs }: Sample): ChannelCadence['channelId'][] {
  const rated = [...videos].sort((a, b) => (viewsPerDay(b, atMs) ?? 0) - (viewsPerDay(a, atMs) ?? 0));
  return [...new Set(rated.map(({ channelId }) => channelId))].slice(0, mostChannels);
}

type Drawn = { niche: string; days: number; sample: Sample; blueprint: Blueprint };

function answerFor({ niche, days, sample, blueprint }: Drawn): string {
  const { best, others, left, lengthS, titleCharacters, cadences } = blueprint;
  return answerOf(
    [
      [
        `**What the best videos about “${plain(niche)}” have in common**`,
        `${best.length} videos with most views a day, compared with ${others} others of the last ${days} days (${sample.source}).`,
        ...(left > 0 ? [`${left} videos without a known number of views are left out.`] : []),
        ...sample.notes,
      ],
      [
        'The best:',
        ...best
          .slice(0, shownVideos)
          .map(
            (video) =>
              `- ${link(short(video.title), video.url)} (${plain(video.channel)}, ${Math.round(video.viewsPerDay)} views a day)`,
          ),
      ],
      [
        ...(lengthS ? [`- Length: ${spread(lengthS.best)}; others ${spread(lengthS.others)}`] : []),
        `- Title: ${titleCharacters.best} characters in the median; others ${titleCharacters.others}`,
      ],
      shares(
        'In titles (share of the best; of the others):',
        blueprint.titlePatterns.filter((share) => share.best > 0),
      ),
      shares('Words of titles:', blueprint.titleWords),
      shares('Tags:', blueprint.tags),
      shares('Published on (UTC):', blueprint.weekdays),
      cadences.length === 0
        ? []
        : [
            'How often their channels publish:',
            ...cadences.map(
              ({ channel, daysBetween, uploads }) =>
                `- ${plain(channel)}: every ${decimal(daysBetween)} days in the median, of ${uploads} uploads`,
            ),
          ],
      [
        'This is what goes together in these videos, and no proof of what makes a video succeed. Titles and tags are those of their authors.',
      ],
    ],
    { isInFile: false },
  );
}

const shares = (title: string, list: readonly Share[]): string[] =>
  list.length === 0
    ? []
    : [title, ...list.map(({ what, best, others }) => `- ${plain(what)}: ${percent(best)}; ${percent(others)}`)];

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
const spread = ({ low, median, high }: Spread): string =>
  `${clock(median)} minutes in the median, half of them between ${clock(low)} and ${clock(high)}`;
