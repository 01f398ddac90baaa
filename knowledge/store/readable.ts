import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/** Whether the document `d` is for the subject to read: its own, or one whose readers name it, a group of it, or everyone. */
export const isReadable = ({ tenant, subject }: Scope): RawBuilder<boolean> => sql<boolean>`(
  d.tenant = ${tenant} and (d.subject = ${subject} or d.readers && (${principals({ tenant, subject })})))`;

/** What a subject is, as a document's readers name it. Read with every query, so that who leaves a group leaves at once. */
export async function principalsOf(db: Database, scope: Scope): Promise<string[]> {
  const { rows } = await sql<{ principals: string[] }>`select (${principals(scope)}) as principals`.execute(db);
  return rows[0]?.principals ?? [];
}

const principals = ({ tenant, subject }: Scope) => sql`
  select array['everyone', 'subject:' || ${subject}::text] || coalesce(array_agg('group:' || group_name), '{}')
  from group_members where tenant = ${tenant} and subject = ${subject}`;
