import type { Database } from '../../runtime/database/postgres.ts';
import { readChangeLogHead, readChunkIds } from './change-log.ts';
import type { IndexDifferences } from './passage-index.ts';

/**
 * What an index contains.
 *
 * @property chunks ids of chunks, and whether each has a vector
 * @property model  whose vectors are expected; `''`: none are
 */
type IndexContent = { chunks: Map<string, boolean>; model: string };

/** A difference may be a change made during the comparison, so it is compared again, at most this often in total. */
const maxAttempts = 5;

/**
 * Compares the content of an index for one tenant with Postgres.
 *
 * @param readIndex catches up with every change made before the call, then reads the content of the index
 */
export async function compareWithPostgres(
  db: Database,
  tenant: string,
  readIndex: () => Promise<IndexContent>,
): Promise<IndexDifferences> {
  const newestChange = async () => (await readChangeLogHead(db, tenant, 0)).newest;
  let attempt = 1;
  while (true) {
    const newestBefore = await newestChange();
    const { chunks, model } = await readIndex();
    const differences = differencesOf(chunks, await readChunkIds(db, tenant, model));
    const isSame = Object.values(differences).every((ids) => ids.length === 0);
    if (isSame || attempt === maxAttempts || (await newestChange()) === newestBefore) return differences;
    attempt++;
  }
}

function differencesOf(indexed: Map<string, boolean>, stored: Map<string, boolean>): IndexDifferences {
  const storedEntries = [...stored];
  return {
    missing: storedEntries.flatMap(([id]) => (indexed.has(id) ? [] : [id])),
    surplus: [...indexed.keys()].filter((id) => !stored.has(id)),
    withoutVector: storedEntries.flatMap(([id, hasVector]) => (hasVector && indexed.get(id) === false ? [id] : [])),
  };
}
