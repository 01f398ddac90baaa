import sentiment from 'wink-sentiment';
import type { SocialItem } from '../../../contract/ports/index.ts';
import { languageOf, textOf } from './words.ts';

/** Above this score, and below its negative, an item counts as positive or negative. Weak words of the list have 1. */
const threshold = 1;

/** How the scores come about, for people. */
export const method =
  'wink-sentiment (word list AFINN-165 with emoji and negation, English only): the mean score of the words that are on the list, from -5 to +5; positive above +1, negative below -1';

export type Mood = 'positive' | 'neutral' | 'negative';
/** `words`: those that were scored, as they count in the text. */
export type Scored = { item: SocialItem; score: number; mood: Mood; words: { word: string; score: number }[] };

export type SentimentAnalysis = {
  counts: Record<Mood, number>;
  /** Of the scored items; null when there is none. */
  mean: number | null;
  scored: Scored[];
  /** Items that are not in English, by language. */
  skipped: Record<string, number>;
};

/** Scores each item that is in English, or too short to tell. */
export function analyseSentiment(items: readonly SocialItem[]): SentimentAnalysis {
  const counts = { positive: 0, neutral: 0, negative: 0 };
  const scored: Scored[] = [];
  const skipped: Record<string, number> = {};
  for (const item of items) {
    const text = textOf(item);
    const language = languageOf(text) ?? 'en';
    if (language !== 'en') {
      skipped[language] = (skipped[language] ?? 0) + 1;
      continue;
    }
    const one = score(item, text);
    counts[one.mood]++;
    scored.push(one);
  }
  const mean = scored.length === 0 ? null : scored.reduce((sum, { score: of }) => sum + of, 0) / scored.length;
  return { counts, mean, scored, skipped };
}

function score(item: SocialItem, text: string): Scored {
  const { tokenizedPhrase = [] } = sentiment(text);
  const words = tokenizedPhrase
    .filter((token) => token.score !== undefined && token.score !== 0)
    .map(({ value, score: of = 0, negation }) => ({ word: negation ? `not ${value}` : value, score: of }));
  const mean = words.length === 0 ? 0 : words.reduce((sum, { score: of }) => sum + of, 0) / words.length;
  const mood: Mood = mean > threshold ? 'positive' : mean < -threshold ? 'negative' : 'neutral';
  return { item, score: mean, mood, words };
}
