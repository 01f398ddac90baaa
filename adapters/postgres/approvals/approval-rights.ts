import { sql } from 'kysely';
import { everyRole } from '../../../contract/roles.ts';
import type { Identity } from '../../../contract/ports/index.ts';

/** Whether a person is among `approvers` of approval `a`'s rule. */
const among = (approvers: 'approvers' | 'escalateTo', { subject, roles }: Identity) => {
  const [subjects, wanted] = [
    sql`a.rule #> ${`{${approvers},subjects}`}::text[]`,
    sql`a.rule #> ${`{${approvers},roles}`}::text[]`,
  ];
  const hasRole = roles.includes(everyRole)
    ? sql`jsonb_array_length(${wanted}) > 0`
    : sql`${wanted} ?| ${[...roles]}::text[]`;
  return sql`coalesce(${subjects} ? ${subject}, false) or coalesce(${hasRole}, false)`;
};

/** The same question as `whyNot` in contract/rules/approval-rights.ts, for rows `a`. */
export const decidableBy = (identity: Identity) => {
  const names = (of: string) => sql`coalesce(jsonb_array_length(a.rule #> ${`{approvers,${of}}`}::text[]), 0)`;
  return sql<boolean>`(a.tenant = ${identity.tenant}
    and not ((a.rule ->> 'fourEyes')::boolean and a.subject = ${identity.subject})
    and (${names('subjects')} + ${names('roles')} = 0 or ${among('approvers', identity)}
      or (a.escalated_at is not null and (${among('escalateTo', identity)}))))`;
};

/** Whoever asked for the task, or may decide. */
export const visibleTo = (identity: Identity) =>
  sql<boolean>`((a.tenant = ${identity.tenant} and a.subject = ${identity.subject}) or ${decidableBy(identity)})`;

/** Nobody decides about what is being deleted. */
export const isNotErased = sql<boolean>`exists (select from tasks t where t.id = a.task_id and t.erased_at is null)`;
