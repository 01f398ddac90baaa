import { stemmer } from 'stemmer';

/** Scripts written without spaces between words. Every two neighbouring characters (a bigram) count as one word. */
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]+/gu;

const word = /[\p{L}\p{N}\p{M}]+/gu;

/** More different query words than this do not change the result; they only take longer. */
const maxTerms = 64;

/**
 * English words that form a question but do not name its subject; Alfred's own list. In a large collection their high
 * frequency already makes them weigh little. Among a handful of documents "how" and "many" can be the rarest words.
 */
const stopWords = new Set(
  `a about am an and any are as at be been being but by can could did do does doing for from had has have having he her
  his how i if in into is it its itself just many may me might more most much must my no nor of on or our ours out over
  own please shall she should so some such tell than that the their theirs them then there these they this those to too
  us very was we were what when where which while who whom whose why will with would you your yours`.split(/\s+/),
);

/**
 * Text in the form in which it is indexed: compatible characters unified, 1,000 as 1000, unspaced scripts as bigrams.
 */
export const indexableText = (text: string) =>
  normalize(text).replace(unspaced, (run) => ` ${bigramsOf(run).join(' ')} `);

/** The words of a query for FTS5's MATCH, each in quotes, so that no part of a query is read as FTS5 syntax. */
export function matchTerms(query: string): string[] {
  const { words, runs } = splitQuery(query);
  const runTerms = runs.flatMap((run) => (run.length > 1 ? bigramsOf(run).map(quote) : [`${quote(run)}*`]));
  return [...new Set([...words.map(quote), ...runTerms])].slice(0, maxTerms);
}

/** The form that `queryTerms` gives to one of `matchTerms`. */
export const queryTermOf = (matchTerm: string): string => passageTerms(matchTerm).at(-1) ?? '';

/** The stems of a text's content words; empty when every word is a stop word. */
export function contentStems(text: string): Set<string> {
  const { words, runs } = splitText(text);
  return stemsOf([...words.filter(isContentWord), ...runs.flatMap(bigramsOf)]);
}

const isContentWord = (term: string) => term.length > 1 && !stopWords.has(term);

/** The stems of all words of a text. */
export function stemsIn(text: string): Set<string> {
  const { words, runs } = splitText(text);
  return stemsOf([...words, ...runs.flatMap(bigramsOf)]);
}

const stemsOf = (terms: string[]) => new Set(terms.map(prefixStem));

/** A rough stem of five letters: singular and plural, present and past tense still match. Numbers stay whole. */
const prefixStem = (term: string) =>
  /^\d/.test(term) ? term : term.normalize('NFD').replace(/\p{M}/gu, '').slice(0, 5);

/** All words of a text, for an index without its own tokenizer. Unspaced scripts give single characters and bigrams. */
export function passageTerms(text: string): string[] {
  const { words, runs } = splitText(text);
  const characters = runs.filter((run) => run.length > 1).flatMap((run) => [...run]);
  return [...words, ...characters, ...runs.flatMap(bigramsOf)].map(stem);
}

/** The words of a query in the form of `passageTerms`, each once. */
export function queryTerms(query: string): string[] {
  const { words, runs } = splitQuery(query);
  return [...new Set([...words, ...runs.flatMap(bigramsOf)].map(stem))].slice(0, maxTerms);
}

/** Leaves stop words out, unless the query has nothing else. */
function splitQuery(query: string) {
  const { words, runs } = splitText(query);
  const contentWords = words.filter((term) => !stopWords.has(term));
  return { words: contentWords.length > 0 || runs.length > 0 ? contentWords : words, runs };
}

/** The words of a text in lower case, and its runs of characters of unspaced scripts. */
function splitText(text: string) {
  const lower = normalize(text).toLowerCase();
  return { words: lower.replace(unspaced, ' ').match(word) ?? [], runs: lower.match(unspaced) ?? [] };
}

/** Accents of Latin and Greek letters. In other scripts such marks are part of the spelling. */
const accents = /(?<=[\p{sc=Latin}\p{sc=Greek}]\p{Mn}*)\p{Mn}/gu;

/** A word without accents and, by the Porter stemmer that FTS5 uses too, without English endings. */
function stem(term: string): string {
  const bare = term.normalize('NFD').replace(accents, '').normalize('NFC');
  return /^[a-z]{3,}$/.test(bare) ? stemmer(bare) : bare;
}

const normalize = (text: string) => text.normalize('NFKC').replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');

const quote = (term: string) => `"${term}"`;

function bigramsOf(run: string): string[] {
  const characters = [...run];
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, i) => `${characters[i] ?? ''}${character}`);
}
