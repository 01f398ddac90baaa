import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/**
 * Whether the subject may read the document `d`: it owns it, or the readers include it, one of its groups, or everyone.
 */
export const isReadable = ({ tenant, subject }: Scope): RawBuilder<boolean> => sql<boolean>`(
  d.tenant = ${tenant} and (d.subject = ${subject} or d.readers && (${principals({ tenant, subject })})))`;

/**
 * The names by which a document's readers may include a subject. They are queried each time, so a subject that leaves a
 * group loses access at once.
 */
export async function principalsOf(db: Database, scope: Scope): Promise<string[]> {
  const { rows } = await sql<{ principals: string[] }>`select (${principals(scope)}) as principals`.execute(db);
  return rows[0]?.principals ?? [];
}

const principals = ({ tenant, subject }: Scope) => sql`
  select array['everyone', 'subject:' || ${subject}::text] || coalesce(array_agg('group:' || group_name), '{}')
  from group_members where tenant = ${tenant} and subject = ${subject}`;
