import type { Client } from '@libsql/client';
import type { Correction } from '../../../contract/documents.ts';
import type { Language } from '../../../contract/rules/stems.ts';
import { isSpelling, languageOfQuery, plainOf, queryWords } from '../../../contract/rules/terms.ts';
import { editDistance } from '../../../contract/rules/edit-distance.ts';
import type { FileCache } from './file-cache.ts';
import { textOf } from './file-state.ts';
import { countWords, type CountedWord, type Selection } from './search-lexical.ts';

/** Words of one query that are corrected. To correct one takes up to 45 ms among the words of 100,000 passages. */
const maxCorrections = 5;
/** Of several nearest words, one that this many passages hold is as good as any. */
const manyPassages = 500;
/** Shorter words are never corrected: too many of them are one letter away from another real word. */
const shortestCorrected = 5;

type Deps = { client: Client; cache: FileCache; languages: Language[]; selection: Selection };

/**
 * Replaces words that no passage holds with the nearest words of passages that the caller may read: one mistake in five
 * to seven letters, two in longer words. A mistake is a letter too many, too few, another one, or two that changed
 * places; in five letters another one mostly makes another word (“beach”, “bench”) and is none. The first letter is
 * seldom mistaken, and words that differ in it mostly mean something else (“maternity”, “paternity”): it stays. Codes,
 * abbreviations and words with digits are never corrected.
 *
 * @param counted the words of `query`: those that only passages hold which the caller may not read count as unknown,
 *   or a word that is not corrected would give away that it stands there
 */
export async function correctWords(
  deps: Deps,
  query: string,
  counted: CountedWord[],
): Promise<{ words: CountedWord[]; corrections: Correction[] }> {
  const unknown = counted.filter(
    ({ kind, text, passages }) =>
      kind === 'word' && passages === 0 && isCorrectable(text) && !isAbbreviation(text, query),
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

const isCorrectable = (word: string) => isSpelling(word) && plainOf(word).length >= shortestCorrected;

/** Written in capitals in a query that is not: the name of one thing. */
const isAbbreviation = (word: string, query: string) => isUpperCase(word) && !isUpperCase(query);
const isUpperCase = (text: string) => text === text.toUpperCase() && text !== text.toLowerCase();

/** Whether a query is in a language of which there are no documents: its words are unknown and not misspelt. */
function isForeign(query: string, languages: Language[]): boolean {
  const language = languageOfQuery(query);
  return language !== null && !languages.some((documents) => (documents ?? 'en') === language);
}

/** The word with the fewest mistakes; of several the one that most of the passages hold that the filter allows. */
async function findNearest({ client, cache, languages, selection }: Deps, text: string) {
  const word = plainOf(text);
  const mistakes = word.length < 8 ? 1 : 2;
  const byDistance: string[][] = Array.from({ length: mistakes + 1 }, () => []);
  for (const { plain, spelling } of await readSpellings(client, word, mistakes)) {
    const isOther = word.length === shortestCorrected && hasOtherLetter(word, plain);
    if (!isOther) byDistance[editDistance(word, plain, mistakes)]?.push(spelling);
  }
  for (const spellings of byDistance) {
    const best = await mostFrequent(client, spellings, selection);
    const [nearest] = best === undefined ? [] : await countWords(client, cache, queryWords(best, languages));
    if (nearest) return nearest;
  }
  return undefined;
}

/** Whether two words of one length do not have the same letters in some order. */
const hasOtherLetter = (a: string, b: string) =>
  a.length === b.length && [...a].sort().join('') !== [...b].sort().join('');

/** The word that most of the passages contain that the filter allows; undefined when none contains any. */
async function mostFrequent(client: Client, spellings: string[], { filter }: Selection): Promise<string | undefined> {
  if (spellings.length === 0) return undefined;
  const holders = filter
    ? {
        sql: `select 1 from spelled join passages p on p.id = spelled.rowid where spelled match '"' || n.value || '"'
          and p.class in (select value from json_each(?)) and p.updated between ? and ? limit ?`,
        args: [filter.classes, filter.from, filter.to, manyPassages],
      }
    : { sql: `select 1 from spelled where spelled match '"' || n.value || '"' limit ?`, args: [manyPassages] };
  const { rows } = await client.execute({
    sql: `select n.value as word, (select count(*) from (${holders.sql})) as passages from json_each(?) n
      order by passages desc, word limit 1`,
    args: [...holders.args, JSON.stringify(spellings)],
  });
  return Number(rows[0]?.passages) > 0 ? textOf(rows[0]?.word) : undefined;
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
