import { sql } from 'kysely';
import type { ContentHash, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { removeWithContents } from '../erasure/unused-contents.ts';

/**
 * Gives a task another result. The one before it, of a run before the workflow was reset, goes with the same
 * transaction: no row would lead to it.
 *
 * @param results `before`: as the row was read, without a lock
 * @param write changes the row, if it `stillNames` the result from before. @returns what it did, if it did
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

/** For the condition of a change: Postgres asks it with the row locked. */
export const stillNames = (before: string | null) => sql`result_hash is not distinct from ${before}::text`;
