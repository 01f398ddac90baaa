import type { SocialItem } from '../../../contract/ports/index.ts';
import { stopWordsOf } from '../../../contract/rules/stop-words.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
const shortest = 2;

/** The words of a text in lower case, without punctuation. */
export const wordsOf = (text: string): string[] =>
  Array.from(segmenter.segment(text.toLowerCase()))
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment.normalize('NFKC'));

/** The words that say what a text is about: without stop words of its language, numbers and links. */
export function contentWords(text: string): string[] {
  const words = wordsOf(text.replace(/https?:\/\/\S+/g, ' '));
  const { words: stopWords } = stopWordsOf(words);
  return words.filter((word) => word.length >= shortest && !stopWords.has(word) && !/^[\d.,:]+$/.test(word));
}

/** The language that a text is most likely in, by its stop words; null when it has none. */
export const languageOf = (text: string): string | null => stopWordsOf(wordsOf(text)).language;

export const textOf = ({ title, text }: SocialItem): string => (text === '' ? title : `${title}. ${text}`);
