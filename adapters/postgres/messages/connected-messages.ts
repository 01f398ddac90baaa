import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/**
 * The hashes of all messages that are connected with a head: those before it, those after it, and branches that no head
 * names any more.
 *
 * @param heads a query with one column
 */
export async function listConnectedMessages(
  db: Database,
  { tenant, subject }: Scope,
  heads: RawBuilder<unknown>,
): Promise<string[]> {
  const { rows } = await sql<{ hash: string }>`
    with recursive part (hash) as (
      select hash from (${heads}) heads (hash) where hash is not null
      union
      select next.hash from part p cross join lateral (
        select coalesce(m.parent, m.body->>'from') as hash from messages m
          where m.tenant = ${tenant} and m.subject = ${subject} and m.hash = p.hash
        union all
        select m.hash from messages m where m.tenant = ${tenant} and m.subject = ${subject} and m.parent = p.hash
        union all
        select m.hash from messages m
          where m.tenant = ${tenant} and m.subject = ${subject} and m.body->>'from' = p.hash
      ) next where next.hash is not null
    )
    select hash from part`.execute(db);
  return rows.map(({ hash }) => hash);
}
