import type { Social, SocialItem } from '../../../contract/ports/index.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { mostClustered } from '../analysis/clusters.ts';
import { analyseTrends, periodOf, type Topic, type Trend } from '../analysis/trends.ts';
import { Trends } from '../intents.ts';
import { checkAsked, gather, givenItems, placesOf } from './gather.ts';
import { answerOf, counted, itemData, itemLine, itemsFile, notOurs, percent, plain, sourceLines } from './present.ts';

const shownTopics = 8;
const dayMs = 86_400_000;
const shownItems = 3;

const method = `Topics: items are put together by the words that they share (TF-IDF, agglomerative clustering with average linkage, of the newest ${mostClustered} items). Growth: (period − before) ÷ before. Days are UTC.`;

/** Counts what was published a day, and which topics grow. */
export const analyseTrendsTool = (social: Social, now: () => number = Date.now) =>
  typedTool({
    name: 'analyse_trends',
    description:
      'Counts what was published a day about a topic, in feeds or in a subreddit, finds the topics in it, and how each has grown against the time before. Shows the items behind each topic with their links.',
    answers: true,
    input: Trends,
    check: checkAsked,
    async run(asked, { signal }) {
      const readAt = new Date(now()).toISOString();
      const given = asked.items && givenItems(asked.items, readAt);
      const period = periodOf(endOf(asked.until, given) ?? now(), asked.days);
      const gathered = given
        ? { items: given, isPartial: false, notes: [], reach: [], read: [] }
        : await gather(social, placesOf(social, asked), { since: period.before, signal });
      const { total, perDay, topics, alone, undated } = await analyseTrends(gathered.items, period, asked.topic ?? '');
      const { isPartial } = gathered;
      const growth = (trend: Trend) => (isPartial ? 'growth not computed' : growthText(trend));
      const about = asked.topic === undefined ? 'what was read' : `“${plain(asked.topic)}”`;
      const answer = answerOf(
        [
          [
            `**Trends of ${about}, ${period.from.slice(0, 10)} to ${lastDay(period.until)} (${asked.days} days)**`,
            `${counted(total.now)}, ${total.before} in the ${asked.days} days before: ${growth(total)}.`,
            ...(isPartial ? ['Not everything was read, as said below, so earlier days are counted too low.'] : []),
            ...(undated > 0 ? [`Not counted, because they have no date: ${counted(undated)}.`] : []),
          ],
          [
            `Items a day${isWhole(period.from) ? '' : ' (the first and the last one are not whole)'}:`,
            ...Object.entries(perDay).map(([day, count]) => `- ${day}: ${count}`),
          ],
          ...topics.slice(0, shownTopics).map((topic) => topicLines(topic, growth(topic))),
          topics.length === 0
            ? ['No topic: no two items share enough words.']
            : [`In no topic: ${counted(alone)} of the period.`],
          [
            'Sources:',
            ...(given
              ? [`- given with the request: ${counted(given.length)}`]
              : sourceLines({ ...gathered, notes: [...gathered.notes, ...gathered.reach] })),
          ],
          [method, notOurs],
        ],
        { isInFile: true },
      );
      return {
        output: {
          answer,
          data: {
            period,
            total: { ...total },
            perDay,
            isPartial,
            topics: topics
              .slice(0, shownTopics)
              .map(({ label, now: count, before, growth: rate, perDay: days, items }) => ({
                label,
                now: count,
                before,
                growth: isPartial ? null : rate,
                perDay: days,
                items: items.slice(0, shownItems).map(itemData),
              })),
            notes: [...gathered.notes, ...gathered.reach],
          },
        },
        summary: `${counted(total.now)}, ${topics.length} topics`,
        artifacts: [
          itemsFile('trends.csv', [
            ...topics.flatMap(({ label, items }) => items.map((item) => ({ item, more: { topic: label } }))),
          ]),
        ],
      };
    },
  });

/** The end of the period: a time, or the end of a day. With given items the end of the day of the newest. */
function endOf(until: string | undefined, given: readonly SocialItem[] | undefined): number | undefined {
  const times = (given ?? []).map(({ publishedAt }) => publishedAt ?? '').sort();
  const end = until ?? times.at(-1)?.slice(0, 10);
  if (!end) return undefined;
  return Date.parse(end) + (end.length === 10 ? dayMs : 0);
}

function topicLines({ label, now, before, items }: Topic, growth: string): string[] {
  return [
    `**${plain(label)}**: ${counted(now)}, ${before} before, ${growth}`,
    ...items.slice(0, shownItems).map((item) => `- ${itemLine(item)}`),
  ];
}

/** The last day of which something is in the period. */
const lastDay = (until: string): string => new Date(Date.parse(until) - 1).toISOString().slice(0, 10);
const isWhole = (from: string): boolean => from.endsWith('T00:00:00.000Z');

function growthText({ now, growth }: Trend): string {
  if (growth === null) return now === 0 ? 'nothing' : 'new';
  return `${growth >= 0 ? '+' : '−'}${percent(Math.abs(growth))}`;
}
