import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiKeys, KnownApiKey } from '../../contract/ports/index.ts';

/** How long a process believes what it has read of a key: so long a key may count after it was revoked. */
export const keyCacheMs = 5_000;
/** A secret that does not fit causes a read of its key so often. */
const readAgainMs = 1_000;
/** How many keys that are not in use are read at once. Random keys must not take the database's connections. */
const mostReadsOfUnknown = 4;
/** Of those, reads for addresses that have sent too many wrong keys. The others are for everybody else. */
const mostReadsOfPaused = 1;

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
  let readsOfUnknown = 0;
  let readsOfPaused = 0;

  async function readRow(id: string, isPaused: boolean): Promise<KnownApiKey | undefined> {
    const counts = isInUse(id) ? 0 : 1;
    const countsAsPaused = isPaused ? counts : 0;
    if (readsOfUnknown + counts > mostReadsOfUnknown || readsOfPaused + countsAsPaused > mostReadsOfPaused)
      throw new AlfredError(
        'identity_unavailable',
        'Too many unknown API keys are being checked. Repeat the request.',
        {
          retryAfterMs: 1_000,
        },
      );
    readsOfUnknown += counts;
    readsOfPaused += countsAsPaused;
    try {
      const key = await find(id);
      if (key) found.set(id, key);
      else missing.set(id, true);
      return key;
    } finally {
      readsOfUnknown -= counts;
      readsOfPaused -= countsAsPaused;
    }
  }

  async function read(id: string, isPaused = false): Promise<KnownApiKey | undefined> {
    const known = found.get(id);
    if (known || missing.has(id)) return known;
    const underWay = reading.get(id) ?? readRow(id, isPaused).finally(() => reading.delete(id));
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
