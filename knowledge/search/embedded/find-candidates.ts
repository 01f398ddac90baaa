import type { Client } from '@libsql/client';
import { queryTermOf } from '../../../contract/rules/terms.ts';
import type { Candidates, PassageFilter } from '../passage-index.ts';
import type { Facets } from './change-plan.ts';
import type { FileCache, FileQuery } from './file-cache.ts';
import { loadVectors, searchDense } from './search-dense.ts';
import { countTerms, searchLexical } from './search-lexical.ts';

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
  if (allowed.size === 0) return { lexical: [], dense: [], corpus: { passages, holders: [] } };
  const counts = await countTerms(client, cache, query.terms);
  const holders = counts.map(({ term, passages: count }): [string, number] => [queryTermOf(term), count]);
  return {
    lexical: await searchLexical(client, { cache, allowed, counts }, query),
    dense: await searchDense(client, cache, allowed, query),
    corpus: { passages, holders },
  };
}

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
