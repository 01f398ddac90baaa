import { AlfredError } from '../../contract/errors.ts';

/** How many ids that are not in use are read at once. Random ones must not take the database's connections. */
const most = 4;
/** Of those, reads for addresses that have sent too many wrong ones. The others are for everybody else. */
const mostOfPaused = 1;

type Reader = {
  /** Whether what the process sent lately shows that it exists. Then its read does not wait for those of others. */
  isKnown: boolean;
  isPaused?: boolean;
};

/**
 * Bounds the reads of ids that strangers can make up.
 *
 * @param things what is read, for people
 */
export function createUnknownReads(things: string) {
  let reads = 0;
  let readsOfPaused = 0;

  /** @throws AlfredError `identity_unavailable` while too many unknown ids are read */
  return async function run<T>({ isKnown, isPaused = false }: Reader, read: () => Promise<T>): Promise<T> {
    if (isKnown) return read();
    const countsAsPaused = isPaused ? 1 : 0;
    if (reads >= most || readsOfPaused + countsAsPaused > mostOfPaused)
      throw new AlfredError(
        'identity_unavailable',
        `Too many unknown ${things} are being checked. Repeat the request.`,
        {
          retryAfterMs: 1_000,
        },
      );
    reads++;
    readsOfPaused += countsAsPaused;
    try {
      return await read();
    } finally {
      reads--;
      readsOfPaused -= countsAsPaused;
    }
  };
}
