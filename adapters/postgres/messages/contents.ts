import { sql } from 'kysely';
import type { Scope } from '../../../contract/references.ts';

/**
 * The key of the advisory lock on a subject's contents. A transaction that stores a content shares the lock; one that
 * removes contents holds it alone.
 */
export const contentsKey = ({ tenant, subject }: Scope) => sql`hashtextextended(${`contents/${tenant}/${subject}`}, 0)`;

/**
 * The statement that stores a content under its hash, once. It is made to be a part of a larger statement: the
 * lock keeps a content that is already there from being removed before the row that refers to it is stored.
 */
export const insertContent = (scope: Scope, hash: string, content: string) => sql`
  insert into contents (tenant, subject, hash, bytes)
  select ${scope.tenant}, ${scope.subject}, ${hash}, ${Buffer.from(content)}::bytea
  from (select pg_advisory_xact_lock_shared(${contentsKey(scope)})) held
  on conflict do nothing`;
