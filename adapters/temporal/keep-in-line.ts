import { isDeepStrictEqual } from 'node:util';

/** Changes that come in between are sent too, up to so many in a row. */
const maxRounds = 5;

/**
 * Brings Temporal in line with a row, after the row's change is committed: no transaction is open meanwhile. If another
 * change was committed in between, it does so again. So Temporal ends with the row's state in any order of two changes.
 *
 * @param row the part of the row that Temporal must know, as it was committed
 * @param read reads it again; undefined when the row is gone
 * @param send makes Temporal match it
 */
export async function keepInLine<T>(
  row: T,
  read: () => Promise<T | undefined>,
  send: (row: T | undefined) => Promise<void>,
): Promise<void> {
  let sent: T | undefined = row;
  for (let round = 0; round < maxRounds; round++) {
    await send(sent);
    const now = await read();
    if (now === undefined ? sent === undefined : isDeepStrictEqual(now, sent)) return;
    sent = now;
  }
}
