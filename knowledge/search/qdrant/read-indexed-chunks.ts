import type { Schemas } from '@qdrant/js-client-rest';
import { denseVector, type Collection } from './collection.ts';
import { ofTenant } from './filter.ts';
import type { Server } from './server.ts';

/** Points a request reads: ids and little else. */
const pageSize = 1_000;

/** The chunks that a collection has of a tenant, and whether each has a vector. */
export async function readIndexedChunks(
  server: Server,
  { name, kind }: Collection,
  tenant: string,
): Promise<Map<string, boolean>> {
  const tenants = ofTenant(tenant);
  const read = async (filter: Schemas['Filter']): Promise<string[]> => {
    const ids: string[] = [];
    let offset: Schemas['ScrollRequest']['offset'];
    do {
      const page = { filter, limit: pageSize, with_payload: ['chunk_id'], ...(offset ? { offset } : {}) };
      const { points, next_page_offset } = await server.ask((client) => client.scroll(name, page));
      for (const { id, payload } of points)
        ids.push(typeof payload?.chunk_id === 'string' ? payload.chunk_id : String(id));
      offset = next_page_offset;
    } while (offset);
    return ids;
  };
  const held = new Map((await read(tenants)).map((id) => [id, kind.model !== '']));
  // Only those that lack one are named, since vectors are what is large.
  if (kind.model !== '')
    for (const id of await read({ ...tenants, must_not: [{ has_vector: denseVector }] })) held.set(id, false);
  return held;
}
