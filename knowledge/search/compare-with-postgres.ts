import type { Database } from '../../runtime/database/postgres.ts';
import { readChunkIds, readChangeLogHead } from './change-log.ts';
import type { IndexDifferences } from './passage-index.ts';

/** Ids of chunks, and whether each has a vector of `model`; `''`: none is expected to. */
type Holdings = { held: Map<string, boolean>; model: string };

/** While documents keep changing, differences may be of the moment. */
const maxLooks = 5;

/**
 * Compares what an index holds of a tenant with Postgres.
 *
 * @param read catches up with every change made before the call, then reads what the index holds
 */
export async function compareWithPostgres(
  db: Database,
  tenant: string,
  read: () => Promise<Holdings>,
): Promise<IndexDifferences> {
  const newest = async () => (await readChangeLogHead(db, tenant, 0)).newest;
  for (let look = 1; ; look++) {
    const before = await newest();
    const { held, model } = await read();
    const found = differences(held, await readChunkIds(db, tenant, model));
    const isSame = Object.values(found).every((ids) => ids.length === 0);
    if (isSame || look === maxLooks || (await newest()) === before) return found;
  }
}

function differences(held: Map<string, boolean>, stored: Map<string, boolean>): IndexDifferences {
  const all = [...stored];
  return {
    missing: all.flatMap(([id]) => (held.has(id) ? [] : [id])),
    surplus: [...held.keys()].filter((id) => !stored.has(id)),
    withoutVector: all.flatMap(([id, hasVector]) => (hasVector && held.get(id) === false ? [id] : [])),
  };
}
