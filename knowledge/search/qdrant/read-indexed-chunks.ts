import type { Schemas } from '@qdrant/js-client-rest';
import { denseVector, type Collection } from './collection.ts';
import { ofTenant } from './filter.ts';
import type { Server } from './server.ts';

/** Points in one response; each is an id and little else. */
const pageSize = 1_000;

/** The ids of a tenant's chunks in a collection, and whether each has a vector. */
export async function readIndexedChunks(
  server: Server,
  { name, kind }: Collection,
  tenant: string,
): Promise<Map<string, boolean>> {
  const filter = ofTenant(tenant);
  const expectsVectors = kind.model !== '';
  const ids = await readChunkIds(server, name, filter);
  const hasVector = new Map(ids.map((id) => [id, expectsVectors]));
  if (!expectsVectors) return hasVector;
  // Asks which points have no vector, so that no vector is sent.
  const withoutVector = await readChunkIds(server, name, { ...filter, must_not: [{ has_vector: denseVector }] });
  for (const id of withoutVector) hasVector.set(id, false);
  return hasVector;
}

async function readChunkIds(server: Server, collection: string, filter: Schemas['Filter']): Promise<string[]> {
  const ids: string[] = [];
  let offset: Schemas['ScrollRequest']['offset'];
  do {
    const request = { filter, limit: pageSize, with_payload: ['chunk_id'], ...(offset ? { offset } : {}) };
    const { points, next_page_offset } = await server.call((client) => client.scroll(collection, request));
    for (const { id, payload } of points)
      ids.push(typeof payload?.chunk_id === 'string' ? payload.chunk_id : String(id));
    offset = next_page_offset;
  } while (offset);
  return ids;
}
