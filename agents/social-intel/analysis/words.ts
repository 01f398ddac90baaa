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

const { words: english } = stopWordsOf(['the', 'and', 'with']);
/** With fewer stop words of another language a text may be English with a name in it. */
const leastForeign = 3;

/** The language that a text is most likely in, by its stop words. Null when that is not clear: it may be English. */
export function languageOf(text: string): string | null {
  const words = new Set(wordsOf(text));
  const { language, words: stopWords } = stopWordsOf([...words]);
  const countOf = (list: ReadonlySet<string>) => [...words].filter((word) => list.has(word)).length;
  if (language === null || language === 'en') return language;
  return countOf(stopWords) >= Math.max(leastForeign, 2 * countOf(english)) ? language : null;
}

export const textOf = ({ title, text }: SocialItem): string => (text === '' ? title : `${title}. ${text}`);
