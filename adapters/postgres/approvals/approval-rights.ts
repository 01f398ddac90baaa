import { sql } from 'kysely';
import { everyRole } from '../../../contract/roles.ts';
import type { Principal } from '../../../contract/principal.ts';

/** Whether a person is among the `approvers` (or `escalateTo`) of the rule of approval `a`. */
const isAmong = (approvers: 'approvers' | 'escalateTo', { subject, roles }: Principal) => {
  const approverSubjects = sql`a.rule #> ${`{${approvers},subjects}`}::text[]`;
  const approverRoles = sql`a.rule #> ${`{${approvers},roles}`}::text[]`;
  const hasRole = roles.includes(everyRole)
    ? sql`jsonb_array_length(${approverRoles}) > 0`
    : sql`${approverRoles} ?| ${[...roles]}::text[]`;
  return sql`coalesce(${approverSubjects} ? ${subject}, false) or coalesce(${hasRole}, false)`;
};

/** Who made the API key that requested approval `a`; null when no key did. */
export const keyCreator = sql<string | null>`(select k.created_by from api_keys k
  where a.subject like 'key:%' and k.id = substr(a.subject, 5) and k.tenant = a.tenant)`;

/** Whether a person has given the API key that requested approval `a` another secret, and so has known one. */
export const hasRotatedKey = (subject: string) => sql<boolean>`exists (select from api_keys k
  where a.subject like 'key:%' and k.id = substr(a.subject, 5) and k.tenant = a.tenant
    and ${subject} = any(k.rotated_by))`;

/**
 * Whether a person has asked in the Slack thread of the task of approval `a`: as their own subject in Slack, as the one
 * that a link names, or as one that it named when they asked. The requester of a channel's task is the channel, and in
 * a direct message the person may have been linked since.
 */
export const hasAskedInSlack = (subject: string) => sql<boolean>`exists (
  select from tasks st join slack_threads th on th.conversation_id = st.conversation_id and th.tenant = a.tenant
  cross join lateral (
    select unnest(th.askers) as user_id union select p.user_id from slack_posts p
    where p.team = th.team and p.channel = th.channel and p.thread_ts = th.thread_ts) asker
  where st.id = a.task_id and (
    ${subject} in (asker.user_id, 'slack:' || th.team || ':' || asker.user_id)
    or exists (select from slack_links l where l.team = th.team and l.user_id = asker.user_id
      and l.tenant = a.tenant and l.subject = ${subject})))`;

/** Whether a person may decide approval `a`. The same rule as `explainRefusal` and `refuseSamePerson`. */
export const decidableBy = (principal: Principal) => {
  const isSamePerson = sql`(a.subject = ${principal.subject} or ${principal.via} = 'api_key'
    or coalesce(${keyCreator} = ${principal.subject}, false) or ${hasRotatedKey(principal.subject)}
    or ${hasAskedInSlack(principal.subject)})`;
  return sql<boolean>`(not ((a.rule ->> 'fourEyes')::boolean and ${isSamePerson}) and ${isApprover(principal)})`;
};

/** Whether the rule of approval `a` names a person, or everyone. */
const isApprover = (principal: Principal) => {
  const count = (kind: 'subjects' | 'roles') =>
    sql`coalesce(jsonb_array_length(a.rule #> ${`{approvers,${kind}}`}::text[]), 0)`;
  return sql<boolean>`(a.tenant = ${principal.tenant}
    and (${count('subjects')} + ${count('roles')} = 0 or ${isAmong('approvers', principal)}
      or (a.escalated_at is not null and (${isAmong('escalateTo', principal)}))))`;
};

/**
 * Whether a person may see approval `a`: its requester, and all whom its rule names. Those whom four eyes keep from
 * deciding may read why. The tenant stands outside of the `or`, so that Postgres reads the tenant's index and not the
 * whole table.
 */
export const visibleTo = (principal: Principal) =>
  sql<boolean>`(a.tenant = ${principal.tenant} and (a.subject = ${principal.subject} or ${isApprover(principal)}))`;

/** Whether the task of approval `a` is not being deleted. */
export const isNotErased = sql<boolean>`exists (select from tasks t where t.id = a.task_id and t.erased_at is null)`;
