import { codeTerms, queryTokens, tokensOf, type Token } from './identifiers.ts';
import { differentlyStemmed, stemsOf, withoutAccents, type Language } from './stems.ts';
import { stopWordsOf } from './stop-words.ts';

/**
 * Scripts whose words are not found by their spaces: without spaces, or, in Korean, with endings that belong to no
 * stem. Every two neighbouring characters (a bigram) count as one word.
 */
const unspaced =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]+/gu;

/** More different query words than this do not change the result; they only take longer. */
const maxWords = 64;

/** A word of a query. */
export type QueryWord = {
  /** As it stands in the query. */
  text: string;
  /** What the word is in the index, in any of the languages. */
  terms: string[];
  /**
   * `code`: names one thing (`PPR-9087`), and is never taken for another. `possible code`: may be one; when no passage
   * holds it, it is none.
   */
  kind: 'word' | 'code' | 'possible code';
  /** Its parts are words of the query too: that no passage holds the whole says nothing. */
  hasParts?: true;
};

/**
 * The terms of a text for an index: the stems of its words, its codes whole and in parts, the characters and bigrams of
 * scripts without spaces. No term has a space, a quote or a capital letter.
 */
export function passageTerms(text: string, language: Language): string[] {
  const { tokens, runs } = splitText(text);
  return [...tokens.flatMap((token) => tokenTerms(token, language)), ...runs.flatMap(characterTerms)];
}

/** The different terms of a passage. */
export function termSet(text: string, language: Language): Set<string> {
  const { tokens, runs } = splitText(text);
  const terms = new Set(runs.flatMap(characterTerms));
  const different = new Map(tokens.map((token) => [token.text, token]));
  for (const token of different.values()) for (const term of tokenTerms(token, language)) terms.add(term);
  return terms;
}

/** Characters too, for queries of one character. */
const characterTerms = (run: string): string[] => (run.length > 1 ? [...run, ...bigramsOf(run)] : [run]);

/**
 * The words of a query, each once; without stop words, unless it has nothing else.
 *
 * @param languages of the documents that are searched: a query does not say in which language its words are
 */
export function queryWords(query: string, languages: Language[]): QueryWord[] {
  const { tokens, runs } = splitText(query, queryTokens);
  const words = new Map<string, QueryWord>();
  const add = (text: string, terms: string[], more: Partial<QueryWord> = {}) => {
    const key = terms.join(' ');
    if (key !== '' && !words.has(key)) words.set(key, { text, terms: [...new Set(terms)], kind: 'word', ...more });
  };
  const stemLanguages = differentlyStemmed(languages.length > 0 ? languages : [null]);
  const addStems = (text: string) =>
    add(
      text,
      stemLanguages.flatMap((language) => stemsOf(text, language)),
    );
  const contentTokens = withoutStopWords(tokens);
  for (const { text, parts, kind } of contentTokens.length > 0 || runs.length > 0 ? contentTokens : tokens) {
    const whole = plainOf(text);
    const hasParts = kind !== 'code' && parts.length > 1 ? { hasParts: true as const } : {};
    // “#4711” and “Ticket 4711” are the same number.
    if (kind === 'code' || kind === 'possible code')
      add(text, whole.startsWith('#') ? [whole, whole.slice(1)] : [whole], { kind, ...hasParts });
    else if (kind === 'number') add(text, [whole], hasParts);
    if (kind === 'words' || hasParts.hasParts) parts.forEach(addStems);
  }
  for (const bigram of runs.flatMap(bigramsOf)) add(bigram, [bigram]);
  return firstAndLast([...words.values()]);
}

/** Of a long text without a question, both ends: there stands what its writer wants. */
const firstAndLast = (words: QueryWord[]): QueryWord[] =>
  words.length > maxWords ? [...words.slice(0, maxWords / 2), ...words.slice(-maxWords / 2)] : words;

/** The language that the stop words of a query belong to; null when it has none. */
export const languageOfQuery = (query: string): Language =>
  stopWordsOf(splitText(query).tokens.map(({ text }) => text.toLowerCase())).language;

/**
 * The words that misspelt words may be compared with, in lower case, each once: of four letters and more, without
 * digits and outside of codes.
 */
export function spellingsIn(text: string): string[] {
  const found = new Set<string>();
  for (const { kind, parts } of splitText(text).tokens)
    if (kind === 'words') for (const part of parts.filter(isSpelling)) found.add(part.toLowerCase());
  return [...found];
}

export const isSpelling = (word: string): boolean => /^[\p{L}\p{M}]{4,40}$/u.test(word);

/** The stems of a text's content words; empty when every word is a stop word. */
export function contentStems(text: string): Set<string> {
  const { tokens, runs } = splitText(text);
  // A single letter names nothing.
  return roughStems(
    withoutStopWords(tokens).filter(({ text }) => text.length > 1),
    runs,
  );
}

/** The stems of all words of a text. */
export function stemsIn(text: string): Set<string> {
  const { tokens, runs } = splitText(text);
  return roughStems(tokens, runs);
}

const roughStems = (tokens: Token[], runs: string[]) =>
  new Set([...tokens.flatMap(({ parts }) => parts), ...runs.flatMap(bigramsOf)].map(prefixStem));

/**
 * A rough stem of five letters, for texts of unknown language: singular and plural, present and past tense still match.
 * Numbers stay whole.
 */
const prefixStem = (term: string) => (/^\p{N}/u.test(term) ? term : plainOf(term).slice(0, 5));

/** A word as spellings are compared: in lower case without accents. */
export const plainOf = (token: string) => withoutAccents(token.toLowerCase());

function withoutStopWords(tokens: Token[]): Token[] {
  const { words: stopWords } = stopWordsOf(tokens.map(({ text }) => text.toLowerCase()));
  return tokens.filter(({ text, kind }) => kind !== 'words' || !stopWords.has(plainOf(text)));
}

function tokenTerms(token: Token, language: Language): string[] {
  const parts = token.parts.flatMap((part) => stemsOf(part, language));
  // A code of one part has its whole as its part, unless it has a sign (`C#`).
  const wholes = token.kind === 'words' ? [] : codeTerms(token).map(plainOf);
  return [...wholes.filter((whole) => whole !== parts[0] || parts.length > 1), ...parts];
}

/** The tokens of a text, and its runs of characters of unspaced scripts. */
function splitText(text: string, split = tokensOf): { tokens: Token[]; runs: string[] } {
  const normal = normalize(text);
  return { tokens: split(normal.replace(unspaced, ' ')), runs: normal.match(unspaced) ?? [] };
}

/** Compatible characters unified, hyphens too, and 1,000 as 1000. */
const normalize = (text: string) =>
  text
    .normalize('NFKC')
    .replace(/(?<=\d),(?=\d{3}(?!\d))/g, '')
    .replace(/[‐-―−]/g, '-')
    .replaceAll('\u00ad', '');

function bigramsOf(run: string): string[] {
  const characters = [...run];
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, i) => `${characters[i] ?? ''}${character}`);
}
