import { isDeepStrictEqual } from 'node:util';

/** Changes that come in between are told too; more than so many in a row leave the last word to the last of them. */
const maxRounds = 5;

/**
 * Tells Temporal what a row says, after the row's change is committed: no transaction is open meanwhile. If another
 * change was committed while Temporal was told, tells it again, so that it ends with what the row says whatever the order
 * in which both were told.
 *
 * @param row the part of the row that Temporal must know, as it was committed
 * @param read reads it again; undefined when the row is gone
 * @param tell makes Temporal match it
 */
export async function keepInLine<T>(
  row: T,
  read: () => Promise<T | undefined>,
  tell: (row: T | undefined) => Promise<void>,
): Promise<void> {
  let told: T | undefined = row;
  for (let round = 0; round < maxRounds; round++) {
    await tell(told);
    const now = await read();
    if (now === undefined ? told === undefined : isDeepStrictEqual(now, told)) return;
    told = now;
  }
}
