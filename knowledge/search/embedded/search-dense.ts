import type { Client } from '@libsql/client';
import type { Hit } from '../passage-index.ts';
import { quantize, BinaryCodes } from './binary-quantization.ts';
import { hitsOf, updatedRange, type FileQuery, type FileCache } from './file-cache.ts';

/** Vectors that are compared in full, after the quick look at all. */
const compared = 200;

/** The passages nearest in meaning: a quick look at all vectors, and an exact comparison of the nearest. */
export async function searchDense(
  client: Client,
  memory: FileCache,
  allowed: Set<number>,
  { filter, vector, depth }: FileQuery,
): Promise<Hit[]> {
  if (!vector) return [];
  const { byteLength } = vector;
  // A server may give longer vectors under the name that it had before.
  if (memory.vectorBytes !== byteLength) Object.assign(memory, { codes: undefined, vectorBytes: byteLength });
  const isAllowed = allowed.size < memory.classes.size ? flags(allowed, memory.lastClass) : undefined;
  const atLeast = Math.max(compared, depth * 2);
  for (;;) {
    const isFresh = !memory.codes;
    const codes = memory.codes ?? (await loadVectors(client, memory));
    const near = codes.nearest(quantize(vector), atLeast, isAllowed, updatedRange(filter));
    const ranked = hitsOf(
      await client.execute({
        sql: `select p.chunk_id, c.score from (
          select v.passage, 1 - vector_distance_cos(v.vector, ?) as score from json_each(?) n
            join vectors v on v.id = n.value order by score desc, v.passage limit ?
        ) c join passages p on p.id = c.passage order by c.score desc, p.id`,
        args: [new Uint8Array(vector.buffer, vector.byteOffset, byteLength), JSON.stringify(near), depth],
      }),
    );
    // Most of the nearest are gone from the file, and stand before others that are in it.
    const isCrowded = ranked.length < depth && near.length >= atLeast;
    if (!isCrowded || isFresh) return ranked;
    memory.codes = undefined;
  }
}

/** Vectors read at once, so that a first look at a large file does not hold them all. */
const pageSize = 5_000;

/** Reads the vectors that came since the last time. */
export async function loadVectors(client: Client, memory: FileCache): Promise<BinaryCodes> {
  const { rows: counted } = await client.execute('select count(*) as n from vectors');
  const present = Number(counted[0]?.n);
  // Many that were removed make the look at all slow and push others out of the nearest.
  if (memory.codes && memory.codes.size > 2 * present + 1_000) memory.codes = undefined;
  if (!memory.codes) memory.lastVector = 0;
  const codes = memory.codes ?? new BinaryCodes();
  for (;;) {
    const { rows } = await client.execute({
      sql: `select v.id, v.vector, p.class, p.updated from vectors v join passages p on p.id = v.passage
        where v.id > ? and length(v.vector) = ? order by v.id limit ${pageSize}`,
      args: [memory.lastVector, memory.vectorBytes],
    });
    for (const row of rows) {
      memory.lastVector = Number(row.id);
      codes.add(
        memory.lastVector,
        quantize(new Float32Array(row.vector as ArrayBuffer)),
        Number(row.class),
        Number(row.updated),
      );
    }
    if (rows.length < pageSize) return (memory.codes = codes);
  }
}

function flags(ids: Set<number>, last: number): Uint8Array {
  const set = new Uint8Array(last + 1);
  for (const id of ids) set[id] = 1;
  return set;
}
