import type { ContentHash, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { removeWithContents } from '../erasure/unused-contents.ts';

/**
 * Gives a task another result. The one before it, of a run before the workflow was reset, goes with the same
 * transaction: no row would lead to it.
 *
 * @param write changes the row. @returns what it did, if it did
 * @returns what `write` returns
 */
export async function replaceResult<T>(
  db: Database,
  scope: Scope,
  { before, after }: { before: ContentHash | null | undefined; after: ContentHash },
  write: (db: Database) => Promise<T>,
): Promise<T> {
  if (before == null || before === after) return write(db);
  let written: T | undefined;
  await removeWithContents(db, scope, async (trx) => {
    written = await write(trx);
    return [before];
  });
  return written as T;
}
