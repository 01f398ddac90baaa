import type { Client } from '@libsql/client';
import type { Language } from '../../../contract/rules/stems.ts';
import { queryWords } from '../../../contract/rules/terms.ts';
import {
  codesAmong,
  foundCode,
  maxCodeHolders,
  type Candidates,
  type FoundCode,
  type PassageFilter,
} from '../passage-index.ts';
import type { Facets } from './change-plan.ts';
import type { FileCache, FileQuery } from './file-cache.ts';
import { loadVectors, searchDense } from './search-dense.ts';
import { correctWords } from './correct-words.ts';
import {
  countWords,
  findHolders,
  isFound,
  searchLexical,
  selectionOf,
  type CountedWord,
  type Selection,
} from './search-lexical.ts';

/**
 * Both result lists from one open file.
 *
 * @param state identifies the content of the file: while it is the same, the cache is up to date
 */
export async function findCandidates(
  client: Client,
  cache: FileCache,
  state: string,
  query: FileQuery,
): Promise<Candidates> {
  if (cache.state !== state) {
    await loadClasses(client, cache);
    if (cache.codes) await loadVectors(client, cache);
    cache.passages = await countPassages(client);
    cache.state = state;
  }
  const allowed = allowedClasses(cache, query.filter);
  const { passages } = cache;
  const languages = languagesOf(cache, allowed);
  const corpus = { passages, languages, holders: [] };
  if (allowed.size === 0) return { lexical: [], dense: [], searched: 0, corpus, codes: [], corrections: [] };
  const selection = selectionOf(cache, allowed, query);
  const readers = { principals: query.filter.principals };
  const readable = selectionOf(cache, allowedClasses(cache, readers), { filter: readers, depth: 1 });
  const words = await countWords(client, cache, queryWords(query.text, languages));
  const counted = await hideUnreadable(client, words, readable);
  const { words: searchedWords, corrections } = await correctWords(
    { client, cache, languages, selection },
    query.text,
    counted,
  );
  const dense = await searchDense(client, cache, allowed, query);
  return {
    lexical: await searchLexical(client, searchedWords, selection),
    dense: dense.hits,
    searched: dense.searched,
    corpus: { ...corpus, holders: searchedWords.flatMap(({ counts }) => counts) },
    codes: await findCodes(client, searchedWords, selection),
    corrections,
  };
}

/**
 * Words that only passages hold which the caller may not read count as held by none: neither corrections nor weights
 * may give away that they stand there.
 *
 * @param readable what the caller may read, regardless of what else the request asks for
 */
async function hideUnreadable(client: Client, words: CountedWord[], readable: Selection): Promise<CountedWord[]> {
  const shown: CountedWord[] = [];
  for (const word of words)
    shown.push((await isFound(client, word, readable)) ? word : { ...word, counts: [], passages: 0 });
  return shown;
}

/** Which passages hold the codes of a query. */
async function findCodes(client: Client, words: CountedWord[], selection: Selection): Promise<FoundCode[]> {
  const codes: FoundCode[] = [];
  for (const word of codesAmong(words))
    codes.push(...foundCode(word, await findHolders(client, word, { ...selection, depth: maxCodeHolders + 1 })));
  return codes;
}

const languagesOf = ({ classes }: FileCache, allowed: Set<number>): Language[] => [
  ...new Set([...allowed].map((id) => classes.get(id)?.language ?? null)),
];

async function countPassages(client: Client): Promise<number> {
  const { rows } = await client.execute('select count(*) as n from passages');
  return Number(rows[0]?.n);
}

/** Reads the classes that were added since the last call. */
async function loadClasses(client: Client, cache: FileCache): Promise<void> {
  const { rows } = await client.execute({
    sql: 'select id, facets from classes where id > ? order by id',
    args: [cache.lastClass],
  });
  for (const row of rows) {
    cache.lastClass = Number(row.id);
    cache.classes.set(cache.lastClass, JSON.parse(row.facets as string) as Facets);
  }
}

/** The ids of the classes whose passages match the filter. */
function allowedClasses(
  { classes }: FileCache,
  { principals, collections, tags, language }: PassageFilter,
): Set<number> {
  const principalSet = new Set(principals);
  const allowed = new Set<number>();
  for (const [id, facets] of classes) {
    if (!facets.readers.some((reader) => principalSet.has(reader))) continue;
    if (collections && !collections.includes(facets.collection)) continue;
    if (tags && !tags.every((tag) => facets.tags.includes(tag))) continue;
    if (language !== undefined && facets.language !== language) continue;
    allowed.add(id);
  }
  return allowed;
}
