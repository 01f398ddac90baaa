import type { Social } from '../../../contract/ports/index.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { analyseSentiment, method, type Mood, type Scored } from '../analysis/sentiment.ts';
import { Sentiment } from '../intents.ts';
import { checkAsked, gather, givenItems, placesOf } from './gather.ts';
import {
  answerOf,
  counted,
  decimal,
  itemData,
  itemLine,
  itemsFile,
  notOurs,
  percent,
  plain,
  sourceLines,
} from './present.ts';

const shown = 3;
const dayMs = 86_400_000;

/** Counts moods, and shows the items that decided. */
export const analyseSentimentTool = (social: Social, now: () => number = Date.now) =>
  typedTool({
    name: 'analyse_sentiment',
    description:
      'Scores how people speak about a topic, in feeds or in a subreddit, or in given items: counts of positive, neutral and negative ones, with the strongest examples and the words that decided. English only.',
    answers: true,
    input: Sentiment,
    check: checkAsked,
    async run(asked, { signal }) {
      const given = asked.items && givenItems(asked.items, new Date(now()).toISOString());
      const since = new Date(now() - asked.days * dayMs).toISOString();
      const gathered = given
        ? { items: given, notes: [], read: [] }
        : await gather(social, placesOf(social, asked), { since, signal });
      const { counts, mean, scored, skipped } = analyseSentiment(gathered.items);
      const about = asked.topic === undefined ? 'what was read' : `“${plain(asked.topic)}”`;
      const others = Object.entries(skipped).map(([language, count]) => `${count} in ${language}`);
      const strongest = (sign: 1 | -1) =>
        scored
          .filter(({ score, mood }) => mood !== 'neutral' && Math.sign(score) === sign)
          .sort((a, b) => Math.abs(b.score) - Math.abs(a.score))
          .slice(0, shown);
      const share = (mood: Mood) => percent(scored.length === 0 ? 0 : counts[mood] / scored.length);
      const answer = answerOf(
        [
          [
            `**Sentiment of ${about}**${given ? '' : `, the last ${asked.days} days`}`,
            mean === null
              ? 'Nothing could be scored.'
              : `${counted(scored.length)} scored: ${counts.positive} positive (${share('positive')}), ${counts.neutral} neutral (${share('neutral')}), ${counts.negative} negative (${share('negative')}). Mean score ${decimal(mean)}.`,
            ...(others.length > 0 ? [`Not scored, because they are not in English: ${others.join(', ')}.`] : []),
          ],
          exampleLines('Most positive:', strongest(1)),
          exampleLines('Most negative:', strongest(-1)),
          ['Sources:', ...(given ? [`- given with the request: ${counted(given.length)}`] : sourceLines(gathered))],
          [
            `Method: ${method}. It does not understand irony, and counts words of quotations as those of the author.`,
            notOurs,
          ],
        ],
        { isInFile: true },
      );
      return {
        output: {
          answer,
          data: {
            counts,
            mean,
            scored: scored.length,
            skipped,
            method,
            examples: [...strongest(1), ...strongest(-1)].map(({ item, score, mood, words }) => ({
              mood,
              score,
              words: words.slice(0, 10).map(({ word, score: of }) => ({ word: word.slice(0, 40), score: of })),
              item: itemData(item),
            })),
            notes: gathered.notes,
          },
        },
        summary: `${counted(scored.length)} scored`,
        artifacts: [
          itemsFile(
            'sentiment.csv',
            scored.map(({ item, score, mood }) => ({ item, more: { mood, score: decimal(score) } })),
          ),
        ],
      };
    },
  });

function exampleLines(title: string, examples: readonly Scored[]): string[] {
  if (examples.length === 0) return [];
  return [
    title,
    ...examples.map(({ item, score, words }) => {
      const because = words.slice(0, 5).map(({ word, score: of }) => `${plain(word.slice(0, 40))} ${of}`);
      return `- ${decimal(score)}: ${itemLine(item)}, by ${because.join(', ')}`;
    }),
  ];
}
