import type { Client } from '@libsql/client';
import type { Correction } from '../../../contract/documents.ts';
import type { Language } from '../../../contract/rules/stems.ts';
import { isSpelling, languageOfQuery, plainOf, queryWords } from '../../../contract/rules/terms.ts';
import { editDistance } from './edit-distance.ts';
import type { FileCache } from './file-cache.ts';
import { textOf } from './file-state.ts';
import { countWords, isFound, type CountedWord, type Selection } from './search-lexical.ts';

/** Words of one query that are corrected. To correct one takes up to 45 ms among the words of 100,000 passages. */
const maxCorrections = 5;
/** The nearest words of which is asked how many passages hold them. */
const maxNearest = 8;

type Deps = { client: Client; cache: FileCache; languages: Language[]; selection: Selection };

/**
 * Replaces words that no passage holds with the nearest words of passages that the caller may read: one mistake in four
 * to seven letters, two in longer words. A mistake is a letter too many, too few, another one, or two that changed
 * places. The first letter is seldom mistaken, and words that differ in it mostly mean something else (“maternity”,
 * “paternity”): it stays. Codes, abbreviations and words with digits are never corrected.
 *
 * @param counted the words of `query`
 */
export async function correctWords(
  deps: Deps,
  query: string,
  counted: CountedWord[],
): Promise<{ words: CountedWord[]; corrections: Correction[] }> {
  const unknown = counted.filter(
    ({ kind, text, passages }) => kind === 'word' && passages === 0 && isSpelling(text) && !isAbbreviation(text, query),
  );
  if (unknown.length === 0 || isForeign(query, deps.languages)) return { words: counted, corrections: [] };
  const corrected = new Map<CountedWord, CountedWord>();
  for (const word of unknown.slice(0, maxCorrections)) {
    const nearest = await findNearest(deps, word.text);
    if (nearest) corrected.set(word, nearest);
  }
  return {
    words: counted.map((word) => corrected.get(word) ?? word),
    corrections: [...corrected].map(([word, { text }]) => ({ from: word.text, to: text })),
  };
}

/** Written in capitals in a query that is not: the name of one thing. */
const isAbbreviation = (word: string, query: string) => isUpperCase(word) && !isUpperCase(query);
const isUpperCase = (text: string) => text === text.toUpperCase() && text !== text.toLowerCase();

/** Whether a query is in a language of which there are no documents: its words are unknown and not misspelt. */
function isForeign(query: string, languages: Language[]): boolean {
  const language = languageOfQuery(query);
  return language !== null && !languages.some((documents) => (documents ?? 'en') === language);
}

/** The word with the fewest mistakes; of several the one that most passages hold. */
async function findNearest({ client, cache, languages, selection }: Deps, text: string) {
  const word = plainOf(text);
  const mistakes = word.length < 8 ? 1 : 2;
  const byDistance: string[][] = Array.from({ length: mistakes + 1 }, () => []);
  for (const { plain, spelling } of await readSpellings(client, word, mistakes)) {
    const distance = editDistance(word, plain, mistakes);
    byDistance[distance]?.push(spelling);
  }
  for (const spellings of byDistance) {
    const words = spellings.slice(0, maxNearest).flatMap((spelling) => queryWords(spelling, languages));
    const known = (await countWords(client, cache, words)).sort((a, b) => b.passages - a.passages);
    for (const candidate of known) if (await isFound(client, candidate, selection)) return candidate;
  }
  return undefined;
}

/**
 * The words of about the same length that begin with the same letter, or with the first two in the other order, and
 * have a part in common: of `mistakes` + 2 parts of a word one stays whole, since a mistake lies in one part or between
 * two. Most of the other words are left out by it before their distance is measured.
 */
async function readSpellings(client: Client, word: string, mistakes: number) {
  const [first = '', second = ''] = word;
  const parts = partsOf(word, mistakes + 2);
  const { rows } = await client.execute({
    sql: `select plain, word from spellings where length(plain) between ? and ?
      and (plain >= ? and plain < ? or plain >= ? and plain < ?)
      and (${parts.map(() => 'instr(plain, ?)').join(' or ')})`,
    args: [
      word.length - mistakes,
      word.length + mistakes,
      ...[first, second + first].flatMap((beginning) => [beginning, `${beginning}\u{10ffff}`]),
      ...parts,
    ],
  });
  return rows.map(({ plain, word: spelling }) => ({ plain: textOf(plain), spelling: textOf(spelling) }));
}

const partsOf = (word: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    word.slice(Math.floor((i * word.length) / count), Math.floor(((i + 1) * word.length) / count)),
  );
