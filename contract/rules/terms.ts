import { stemmer } from 'stemmer';

/** Scripts that are written without spaces between words; in them, every two neighbours are taken for a word. */
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]+/gu;

const word = /[\p{L}\p{N}\p{M}]+/gu;

/** More than this many different words of a query do not change what is found, only how long it takes. */
const maxTerms = 64;

/**
 * English words that shape a question and say nothing about its subject. A large collection tells by their frequency;
 * among a handful of documents "how" and "many" can be the rarest words there are.
 */
const idle = new Set(
  `a about am an and any are as at be been being but by can could did do does doing for from had has have having he her
  his how i if in into is it its itself just many may me might more most much must my no nor of on or our ours out over
  own please shall she should so some such tell than that the their theirs them then there these they this those to too
  us very was we were what when where which while who whom whose why will with would you your yours`.split(/\s+/),
);

/** Text as it is indexed: compatible characters as one, 1,000 as 1000, unspaced scripts cut up. */
export const indexableText = (text: string) => unified(text).replace(unspaced, (run) => ` ${pairsOf(run).join(' ')} `);

/** What FTS5 is asked for: the words of a query, each quoted, so that nothing in a query is ever syntax. */
export function matchTerms(query: string): string[] {
  const { words, runs } = partsOf(query);
  const unspacedTerms = runs.flatMap((run) => (run.length > 1 ? pairsOf(run).map(quoted) : [`${quoted(run)}*`]));
  return [...new Set([...words.map(quoted), ...unspacedTerms])].slice(0, maxTerms);
}

/** The words of a query that say what it is about, or all where none does, and what they are cut to so that forms meet. */
export function queryStems(query: string): Set<string> {
  const { words, runs } = partsOf(query);
  return new Set([...words.filter((found) => found.length > 1), ...runs.flatMap(pairsOf)].map(stemOf));
}

/** The same, and nothing where no word says what it is about. */
export function contentStems(text: string): Set<string> {
  const { words, runs } = cutUp(text);
  return new Set([...words.filter(isTelling), ...runs.flatMap(pairsOf)].map(stemOf));
}

const isTelling = (found: string) => found.length > 1 && !idle.has(found);

/** All words of a text, cut in the same way. */
export function stemsIn(text: string): Set<string> {
  const { words, runs } = cutUp(text);
  return new Set([...words, ...runs.flatMap(pairsOf)].map(stemOf));
}

/** Plural and past tense still meet; numbers stay whole. */
const stemOf = (found: string) =>
  /^\d/.test(found) ? found : found.normalize('NFD').replace(/\p{M}/gu, '').slice(0, 5);

/** Every word of a text, for an index that has no tokenizer of its own; of unspaced scripts, characters and pairs. */
export function passageTerms(text: string): string[] {
  const { words, runs } = cutUp(text);
  const characters = runs.filter((run) => run.length > 1).flatMap((run) => [...run]);
  return [...words, ...characters, ...runs.flatMap(pairsOf)].map(rootOf);
}

/** The words of a query as `passageTerms` gives them, each once. */
export function queryTerms(query: string): string[] {
  const { words, runs } = partsOf(query);
  return [...new Set([...words, ...runs.flatMap(pairsOf)].map(rootOf))].slice(0, maxTerms);
}

function partsOf(query: string) {
  const { words, runs } = cutUp(query);
  const telling = words.filter((found) => !idle.has(found));
  return { words: telling.length > 0 || runs.length > 0 ? telling : words, runs };
}

function cutUp(text: string) {
  const lower = unified(text).toLowerCase();
  return { words: lower.replace(unspaced, ' ').match(word) ?? [], runs: lower.match(unspaced) ?? [] };
}

/** Accents of Latin and Greek letters; in other scripts marks are letters of their own. */
const accents = /(?<=[\p{sc=Latin}\p{sc=Greek}]\p{Mn}*)\p{Mn}/gu;

/** A word without its accents and, as FTS5 does it, without its English endings. */
function rootOf(term: string): string {
  const bare = term.normalize('NFD').replace(accents, '').normalize('NFC');
  return /^[a-z]{3,}$/.test(bare) ? stemmer(bare) : bare;
}

const unified = (text: string) => text.normalize('NFKC').replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');

const quoted = (term: string) => `"${term}"`;

function pairsOf(run: string): string[] {
  const characters = [...run];
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, i) => `${characters[i] ?? ''}${character}`);
}
