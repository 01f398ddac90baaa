import type { Client } from '@libsql/client';
import type { Candidates, PassageFilter } from '../passage-index.ts';
import type { Facets } from './apply-changes.ts';
import { searchDense, loadVectors } from './search-dense.ts';
import { searchLexical } from './search-lexical.ts';
import type { FileQuery, FileCache } from './file-cache.ts';

/**
 * Both lists of candidates from one open file.
 *
 * @param state says what the file holds: while it is the same, what is remembered of the file is so too
 */
export async function findCandidates(
  client: Client,
  memory: FileCache,
  state: string,
  query: FileQuery,
): Promise<Candidates> {
  if (memory.state !== state) {
    await learnClasses(client, memory);
    if (memory.codes) await loadVectors(client, memory);
    memory.state = state;
  }
  const allowed = allowedClasses(memory, query.filter);
  if (allowed.size === 0) return { lexical: [], dense: [] };
  return {
    lexical: await searchLexical(client, memory, allowed, query),
    dense: await searchDense(client, memory, allowed, query),
  };
}

async function learnClasses(client: Client, memory: FileCache): Promise<void> {
  const { rows } = await client.execute({
    sql: 'select id, facets from classes where id > ? order by id',
    args: [memory.lastClass],
  });
  for (const row of rows) {
    memory.lastClass = Number(row.id);
    memory.classes.set(memory.lastClass, JSON.parse(row.facets as string) as Facets);
  }
}

function allowedClasses(
  { classes }: FileCache,
  { principals, collections, tags, language }: PassageFilter,
): Set<number> {
  const who = new Set(principals);
  const allowed = new Set<number>();
  for (const [id, facets] of classes) {
    if (!facets.readers.some((reader) => who.has(reader))) continue;
    if (collections && !collections.includes(facets.collection)) continue;
    if (tags && !tags.every((tag) => facets.tags.includes(tag))) continue;
    if (language !== undefined && facets.language !== language) continue;
    allowed.add(id);
  }
  return allowed;
}
