import type { Client } from '@libsql/client';
import type { Hit } from '../passage-index.ts';
import { hitsOf, updatedRange, type FileCache, type FileQuery } from './file-cache.ts';
import { VectorCodes } from './vector-codes.ts';

/**
 * At least this many vectors are compared exactly, after all were compared by their codes: among 8,416 passages of
 * three handbooks the 800 nearest by codes hold 99 of the 100 nearest.
 */
const minCompared = 800;

/**
 * The passages nearest in meaning: compares the codes of all vectors, then the nearest vectors exactly.
 *
 * @returns `searched`: about how many passages were compared
 */
export async function searchDense(
  client: Client,
  cache: FileCache,
  allowed: Set<number>,
  { filter, vector, depth }: FileQuery,
): Promise<{ hits: Hit[]; searched: number }> {
  if (!vector) return { hits: [], searched: 0 };
  // A model server may return vectors of another length under the same model name.
  if (cache.vectorBytes !== vector.byteLength) {
    cache.codes = undefined;
    cache.vectorBytes = vector.byteLength;
  }
  const isAllowed = allowed.size < cache.classes.size ? flags(allowed, cache.lastClass) : undefined;
  const minRows = Math.max(minCompared, depth * 8);
  const search = async (codes: VectorCodes) => {
    const filters = { isAllowed, updatedRange: updatedRange(filter) };
    const { rows, compared } = codes.nearest(vector, minRows, filters);
    const hits = await compareExactly(client, vector, rows, depth);
    // Most of the nearest rows are gone from the file, and took the places of rows that are in it.
    const isCrowdedOut = hits.length < depth && rows.length >= minRows;
    return { hits, searched: hits.length < depth ? hits.length : compared, isCrowdedOut };
  };

  if (cache.codes) {
    const { isCrowdedOut, ...found } = await search(cache.codes);
    if (!isCrowdedOut) return found;
    cache.codes = undefined;
  }
  const { hits, searched } = await search(await loadVectors(client, cache));
  return { hits, searched };
}

async function compareExactly(client: Client, vector: Float32Array, rows: number[], depth: number): Promise<Hit[]> {
  const result = await client.execute({
    sql: `select p.chunk_id, c.score from (
      select v.passage, 1 - vector_distance_cos(v.vector, ?) as score from json_each(?) n
        join vectors v on v.id = n.value order by score desc, v.passage limit ?
    ) c join passages p on p.id = c.passage order by c.score desc, p.id`,
    args: [new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), JSON.stringify(rows), depth],
  });
  return hitsOf(result);
}

/** Vectors are read in pages, so that a large file does not need memory for all of them at once. */
const pageSize = 5_000;
/** The levels of the codes are chosen again when there are this many times as many vectors as they were chosen by. */
const outgrownBy = 4;

/** Reads the vectors that were added since the last call. */
export async function loadVectors(client: Client, cache: FileCache): Promise<VectorCodes> {
  const { rows: counts } = await client.execute('select count(*) as n from vectors');
  const present = Number(counts[0]?.n);
  // Many removed vectors make the comparison slow and take places among the nearest: load all again.
  if (cache.codes && cache.codes.size > 2 * present + 1_000) cache.codes = undefined;
  if (cache.codes && present > outgrownBy * cache.codes.measured && cache.codes.measured < pageSize)
    cache.codes = undefined;
  if (!cache.codes) cache.lastVector = 0;
  let { codes } = cache;
  let isLastPage = false;
  while (!isLastPage) {
    const { rows } = await client.execute({
      sql: `select v.id, v.vector, p.class, p.updated from vectors v join passages p on p.id = v.passage
        where v.id > ? and length(v.vector) = ? order by v.id limit ${pageSize}`,
      args: [cache.lastVector, cache.vectorBytes],
    });
    const vectors = rows.map((row) => new Float32Array(row.vector as ArrayBuffer));
    codes ??= new VectorCodes(vectors, cache.vectorBytes / Float32Array.BYTES_PER_ELEMENT);
    for (const [i, vector] of vectors.entries()) {
      const row = rows[i];
      cache.lastVector = Number(row?.id);
      codes.add(cache.lastVector, vector, Number(row?.class), Number(row?.updated));
    }
    isLastPage = rows.length < pageSize;
  }
  codes ??= new VectorCodes([], cache.vectorBytes / Float32Array.BYTES_PER_ELEMENT);
  cache.codes = codes;
  return codes;
}

/** 1 at the index of each id. */
function flags(ids: Set<number>, last: number): Uint8Array {
  const set = new Uint8Array(last + 1);
  for (const id of ids) set[id] = 1;
  return set;
}
