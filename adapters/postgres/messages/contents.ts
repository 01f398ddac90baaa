import { sql } from 'kysely';
import type { Scope } from '../../../contract/references.ts';

/**
 * The key of the advisory lock on a subject's contents. A transaction that stores a content shares the lock; one that
 * removes contents holds it alone.
 */
export const contentsKey = ({ tenant, subject }: Scope) => sql`hashtextextended(${`contents/${tenant}/${subject}`}, 0)`;

/** The query that shares the lock on a subject's contents until the end of the transaction. */
export const lockContents = (scope: Scope) => sql`select pg_advisory_xact_lock_shared(${contentsKey(scope)})`;

/**
 * The statement that stores a content under its hash, once. It is made to be a part of a larger statement: the
 * lock keeps a content that is already there from being removed before the row that refers to it is stored.
 *
 * @param owner a query of the larger statement that gives a row if there is one to refer to the content, such as a row
 *              that it changes. Without such a row nothing is stored.
 */
export const insertContent = (scope: Scope, hash: string, content: string | Uint8Array, owner?: string) => sql`
  insert into contents (tenant, subject, hash, bytes)
  select ${scope.tenant}, ${scope.subject}, ${hash}, ${Buffer.from(content as Uint8Array)}::bytea
  from (${lockContents(scope)}${owner === undefined ? sql`` : sql` from ${sql.id(owner)}`}) held
  on conflict do nothing`;
