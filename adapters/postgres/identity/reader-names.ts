import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../../contract/references.ts';

/**
 * The names by which readers may include a subject, as a query of one array. Groups are those of this moment: a subject
 * that leaves a group loses access at once.
 */
export const readerNamesOf = ({ tenant, subject }: Scope): RawBuilder<string[]> => sql<string[]>`
  select array['everyone', 'subject:' || ${subject}::text] || coalesce(array_agg('group:' || group_name), '{}')
  from group_members where tenant = ${tenant} and subject = ${subject}`;
