import { sql, type RawBuilder } from 'kysely';
import type { DocumentReach, Scope } from '../../contract/references.ts';
import { readerNamesOf } from '../../adapters/postgres/identity/reader-names.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/**
 * Whether the subject may read the document `d`: it owns it, or the readers include it, one of its groups, or everyone.
 */
export const isReadable = ({ tenant, subject }: Scope): RawBuilder<boolean> => sql<boolean>`(
  d.tenant = ${tenant} and (d.subject = ${subject} or d.readers && (${readerNamesOf({ tenant, subject })})))`;

/** Whether the document `d` is within reach. */
export function isWithinReach({ of, ...scope }: DocumentReach): RawBuilder<boolean> {
  if (of === 'readable') return isReadable(scope);
  return sql<boolean>`(d.tenant = ${scope.tenant} ${of === 'tenant' ? sql`` : sql`and d.subject = ${scope.subject}`})`;
}

/** The names by which a document's readers may include a subject, at this moment. */
export async function principalsOf(db: Database, scope: Scope): Promise<string[]> {
  const { rows } = await sql<{ principals: string[] }>`select (${readerNamesOf(scope)}) as principals`.execute(db);
  return rows[0]?.principals ?? [];
}
