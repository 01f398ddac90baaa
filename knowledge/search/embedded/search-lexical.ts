import type { Client } from '@libsql/client';
import type { QueryWord } from '../../../contract/rules/terms.ts';
import type { Hit } from '../passage-index.ts';
import { hitsOf, updatedRange, type FileCache, type FileQuery } from './file-cache.ts';

/** BM25 weights of title, headings and body. On Cranfield nDCG@10 rose from .379 with equal weights to .390. */
const weights = '2, 2, 1';
/** The count of a word is cached when at least this many passages contain the word. */
const frequentFrom = 500;
/** About how many passages are ranked by words. To rank one passage takes a microsecond. */
const maxRankedPassages = 5_000;

/** A word of the query, with the terms that any passage holds, and how many passages hold them. */
export type CountedWord = QueryWord & { passages: number; counts: [term: string, passages: number][] };

/**
 * The passages that match a query's words best.
 *
 * The rarest words rank the passages, as long as few enough passages contain them: a word that half of all passages
 * contain adds almost nothing to a rank. When even the two rarest words are frequent, passages with both come first. If
 * there are enough of those, no other passage is ranked.
 */
export async function searchLexical(client: Client, words: CountedWord[], selection: Selection): Promise<Hit[]> {
  const rank = (match: string) => rankPassages(client, match, selection);
  const found = words.filter(({ passages }) => passages > 0).sort((a, b) => a.passages - b.passages);
  const affordable = affordableWords(found);
  const [rarest, next] = found;
  if (affordable.length < 2 && rarest && next) {
    const withBoth = await rank(`(${matchOf([rarest])}) AND (${matchOf([next])})`);
    return withBoth.length >= selection.depth ? withBoth : rank(matchOf([rarest, next]));
  }
  return affordable.length > 0 ? rank(matchOf(affordable)) : [];
}

/** The passages that hold a word, in one of its forms. */
export const findHolders = async (client: Client, word: CountedWord, selection: Selection): Promise<Hit[]> =>
  word.passages > 0 ? rankPassages(client, matchOf([word]), selection) : [];

/** Whether one of the passages that the filter allows holds a word. */
export async function isFound(client: Client, word: CountedWord, { filter }: Selection): Promise<boolean> {
  if (word.passages === 0 || !filter) return word.passages > 0;
  const { rows } = await client.execute({
    sql: `select 1 from words join passages p on p.id = words.rowid where words match ?
      and p.class in (select value from json_each(?)) and p.updated between ? and ? limit 1`,
    args: [matchOf([word]), filter.classes, filter.from, filter.to],
  });
  return rows.length > 0;
}

/** The words as an expression of FTS5. Each term is in quotes, so that no part of a query is read as its syntax. */
const matchOf = (words: CountedWord[]): string =>
  words.flatMap(({ counts }) => counts.map(([term]) => `"${term}"`)).join(' OR ');

/** `filter`: undefined when it allows every passage of the file. */
export type Selection = { depth: number; filter: { classes: string; from: number; to: number } | undefined };

export function selectionOf(
  { classes }: FileCache,
  allowed: Set<number>,
  { filter, depth }: Pick<FileQuery, 'filter' | 'depth'>,
): Selection {
  const [from, to] = updatedRange(filter);
  const isNarrowed = allowed.size < classes.size || from > -Infinity || to < Infinity;
  if (!isNarrowed) return { depth, filter: undefined };
  const range = { from: Math.max(from, 0), to: Math.min(to, Number.MAX_SAFE_INTEGER) };
  return { depth, filter: { classes: JSON.stringify([...allowed]), ...range } };
}

async function rankPassages(client: Client, match: string, { depth, filter }: Selection): Promise<Hit[]> {
  const statement = filter
    ? {
        sql: `select p.chunk_id, -bm25(words, ${weights}) as score from words join passages p on p.id = words.rowid
          where words match ? and p.class in (select value from json_each(?)) and p.updated between ? and ?
          order by score desc, p.id limit ?`,
        args: [match, filter.classes, filter.from, filter.to, depth],
      }
    : {
        // Without a filter, only the passages that are returned are joined.
        sql: `select p.chunk_id, w.score from (select rowid, -bm25(words, ${weights}) as score from words
          where words match ? order by score desc, rowid limit ?) w
          join passages p on p.id = w.rowid order by w.score desc, w.rowid`,
        args: [match, depth],
      };
  return hitsOf(await client.execute(statement));
}

/** Counts the passages that contain each word. A passage with two terms of one word counts twice. */
export async function countWords(
  client: Client,
  { passageCounts }: FileCache,
  words: QueryWord[],
): Promise<CountedWord[]> {
  const counted: CountedWord[] = [];
  for (const word of words) {
    const counts: CountedWord['counts'] = [];
    for (const term of word.terms) {
      const passages = passageCounts.get(term) ?? (await countTerm(client, term));
      // A rare word is quick to count, and its count may change soon: it is not cached.
      if (passages >= frequentFrom) passageCounts.set(term, passages);
      if (passages > 0) counts.push([term, passages]);
    }
    counted.push({ ...word, counts, passages: counts.reduce((sum, [, passages]) => sum + passages, 0) });
  }
  return counted;
}

async function countTerm(client: Client, term: string): Promise<number> {
  const { rows } = await client.execute({
    sql: 'select count(*) as n from words where words match ?',
    args: [`"${term}"`],
  });
  return Number(rows[0]?.n);
}

/** The rarest words, as long as few enough passages contain them together; always at least one. */
function affordableWords(rarestFirst: CountedWord[]): CountedWord[] {
  const affordable: CountedWord[] = [];
  let total = 0;
  for (const word of rarestFirst) {
    total += word.passages;
    if (affordable.length > 0 && total > maxRankedPassages) break;
    affordable.push(word);
  }
  return affordable;
}
