import type { Client } from '@libsql/client';
import type { Candidates, PassageFilter } from '../passage-index.ts';
import type { Facets } from './apply.ts';
import { dense, learnVectors } from './dense.ts';
import { lexical } from './lexical.ts';
import type { FindIn, Memory } from './memory.ts';

/**
 * Both lists of candidates from one open file.
 *
 * @param state says what the file holds: while it is the same, what is remembered of the file is so too
 */
export async function find(client: Client, memory: Memory, state: string, query: FindIn): Promise<Candidates> {
  if (memory.state !== state) {
    await learnClasses(client, memory);
    if (memory.codes) await learnVectors(client, memory);
    memory.state = state;
  }
  const allowed = allowedClasses(memory, query.filter);
  if (allowed.size === 0) return { lexical: [], dense: [] };
  return { lexical: await lexical(client, memory, allowed, query), dense: await dense(client, memory, allowed, query) };
}

async function learnClasses(client: Client, memory: Memory): Promise<void> {
  const { rows } = await client.execute({
    sql: 'select id, facets from classes where id > ? order by id',
    args: [memory.lastClass],
  });
  for (const row of rows) {
    memory.lastClass = Number(row.id);
    memory.classes.set(memory.lastClass, JSON.parse(row.facets as string) as Facets);
  }
}

function allowedClasses({ classes }: Memory, { principals, collections, tags, language }: PassageFilter): Set<number> {
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
