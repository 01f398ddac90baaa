import type { Social } from '../../../contract/ports/index.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { mostClustered } from '../analysis/clusters.ts';
import { analyseTrends, periodOf, type Topic, type Trend } from '../analysis/trends.ts';
import { Trends } from '../intents.ts';
import { checkAsked, gather, givenItems, placesOf } from './gather.ts';
import { answerOf, itemData, itemLine, itemsFile, notOurs, percent, plain, sourceLines } from './present.ts';

const shownTopics = 8;
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
      const newest = given
        ?.map(({ publishedAt }) => publishedAt ?? '')
        .sort()
        .at(-1);
      const until = asked.until ?? (newest ? new Date(Date.parse(newest) + 1).toISOString() : readAt);
      const period = periodOf(Date.parse(until), asked.days);
      const gathered = given
        ? { items: given, isPartial: false, notes: [], read: [] }
        : await gather(social, placesOf(social, asked), { since: period.before, signal });
      const { total, perDay, topics, alone, undated } = analyseTrends(gathered.items, period, asked.topic ?? '');
      const { isPartial } = gathered;
      const growth = (trend: Trend) => (isPartial ? 'growth not computed' : growthText(trend));
      const about = asked.topic === undefined ? 'what was read' : `“${plain(asked.topic)}”`;
      const answer = answerOf(
        [
          [
            `**Trends of ${about}, ${period.from.slice(0, 10)} to ${period.until.slice(0, 10)} (${asked.days} days)**`,
            `${total.now} items, ${total.before} in the ${asked.days} days before: ${growth(total)}.`,
            ...(isPartial ? ['Not everything was read, as said below, so earlier days are counted too low.'] : []),
            ...(undated > 0 ? [`${undated} items have no date and are not counted.`] : []),
          ],
          ['Items a day:', ...Object.entries(perDay).map(([day, count]) => `- ${day}: ${count}`)],
          ...topics.slice(0, shownTopics).map((topic) => topicLines(topic, growth(topic))),
          topics.length === 0
            ? ['No topic: no two items share enough words.']
            : [`${alone} items of the period are in no topic.`],
          ['Sources:', ...(given ? [`- ${given.length} items that were given`] : sourceLines(gathered))],
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
            notes: gathered.notes,
          },
        },
        summary: `${total.now} items, ${topics.length} topics`,
        artifacts: [
          itemsFile('trends.csv', [
            ...topics.flatMap(({ label, items }) => items.map((item) => ({ item, more: { topic: label } }))),
          ]),
        ],
      };
    },
  });

function topicLines({ label, now, before, items }: Topic, growth: string): string[] {
  return [
    `**${plain(label)}**: ${now} items, ${before} before, ${growth}`,
    ...items.slice(0, shownItems).map((item) => `- ${itemLine(item)}`),
  ];
}

function growthText({ now, growth }: Trend): string {
  if (growth === null) return now === 0 ? 'nothing' : 'new';
  return `${growth >= 0 ? '+' : '−'}${percent(Math.abs(growth))}`;
}
