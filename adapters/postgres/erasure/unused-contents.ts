import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { stoppedHash } from '../conversations/end-turn.ts';
import { contentsKey } from '../messages/contents.ts';

/**
 * Removes rows that name contents, and then those of the contents that no other row names.
 *
 * The lock is held alone: no other transaction may find a content stored, and rely on it, while this one removes it.
 * All who store a content of the subject wait for it meanwhile, so a caller passes few rows at a time.
 *
 * @param removeRows returns the hashes that the rows named. It reads them under the lock: before, another transaction
 *                   may still have stored one.
 */
export const removeWithContents = (
  db: Database,
  scope: Scope,
  removeRows: (trx: Database) => Promise<string[]>,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${contentsKey(scope)})`.execute(trx);
    const hashes = await removeRows(trx);
    const own = hashes.filter((hash) => hash !== stoppedHash);
    if (own.length > 0) await deleteUnused(scope, own).execute(trx);
  });

/**
 * Deletes contents that no row uses. Results in messages need no check: each has its receipt in `tool_calls`.
 *
 * Each branch looks the hashes up in an index; with a join or an `or` Postgres may read a whole table.
 */
const deleteUnused = ({ tenant, subject }: Scope, hashes: string[]): RawBuilder<unknown> => {
  const isOwned = sql`t.tenant = ${tenant} and t.subject = ${subject}`;
  const named = sql`any(${hashes}::text[])`;
  return sql`
    with used (hash) as (
      select m.content_hash from conversation_messages m join conversations t on t.id = m.conversation_id
        where ${isOwned} and m.content_hash = ${named}
      union all select t.result_hash from tasks t where ${isOwned} and t.result_hash = ${named}
      union all select c.result_hash from model_calls c join tasks t on t.id = c.task_id
        where ${isOwned} and c.result_hash = ${named}
      union all select c.result_hash from tool_calls c join tasks t on t.id = c.task_id
        where ${isOwned} and c.result_hash = ${named}
      union all select c.full_hash from tool_calls c join tasks t on t.id = c.task_id
        where ${isOwned} and c.full_hash = ${named}
      union all select a.content_hash from artifacts a join tasks t on t.id = a.task_id
        where ${isOwned} and a.content_hash = ${named}
      union all select unnest(t.note_hashes) from approvals t
        where ${isOwned} and t.note_hashes && ${hashes}::text[] and t.note_hashes <> '{}'
    )
    delete from contents where tenant = ${tenant} and subject = ${subject} and hash = ${named}
      and hash not in (select hash from used)`;
};
