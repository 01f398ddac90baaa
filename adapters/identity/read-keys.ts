import { LRUCache } from 'lru-cache';
import type { ApiKeys, KnownApiKey } from '../../contract/ports/index.ts';
import { createUnknownReads } from './unknown-reads.ts';

/** How long a process believes what it has read of a key: so long a key may count after it was revoked. */
export const keyCacheMs = 5_000;
/** A secret that does not fit causes a read of its key so often. */
const readAgainMs = 1_000;

type Deps = {
  find: ApiKeys['find'];
  /** Whether the key was sent with its secret lately. Its reads do not wait for those of unknown keys. */
  isInUse: (id: string) => boolean;
  cacheMs?: number | undefined;
};

/** Reads keys, and believes for a while what it has read. */
export function createKeyReader({ find, isInUse, cacheMs = keyCacheMs }: Deps) {
  const found = new LRUCache<string, KnownApiKey>({ max: 1_000, ttl: cacheMs });
  // Apart from `found`, so that random keys put out no key that exists.
  const missing = new LRUCache<string, true>({ max: 500, ttl: cacheMs });
  const readAgainLately = new LRUCache<string, true>({ max: 1_000, ttl: readAgainMs });
  const reading = new Map<string, Promise<KnownApiKey | undefined>>();
  const bounded = createUnknownReads('API keys');

  async function readRow(id: string): Promise<KnownApiKey | undefined> {
    const key = await find(id);
    if (key) found.set(id, key);
    else missing.set(id, true);
    return key;
  }

  async function read(id: string, isPaused = false): Promise<KnownApiKey | undefined> {
    const known = found.get(id);
    if (known || missing.has(id)) return known;
    const start = () => bounded({ isKnown: isInUse(id), isPaused }, () => readRow(id));
    const underWay = reading.get(id) ?? start().finally(() => reading.delete(id));
    reading.set(id, underWay);
    return underWay;
  }

  return {
    read,

    /** Reads a key from the database unless that was done a moment ago. */
    async readAgain(id: string, isPaused = false): Promise<KnownApiKey | undefined> {
      if (!readAgainLately.has(id)) {
        readAgainLately.set(id, true);
        found.delete(id);
      }
      return read(id, isPaused);
    },
  };
}
