import { sql } from 'kysely';
import type { SlackLinkOrigin } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { lockSlackUser } from './lock-slack-user.ts';

/** A Slack user, and the subject that it is. */
export type SlackLink = {
  team: string;
  userId: string;
  tenant: string;
  subject: string;
  madeBy: SlackLinkOrigin;
  linkedAt: Date;
};

/** Which links are meant: those that have all of what is named. */
export type SlackLinkFilter = { [Name in 'team' | 'userId' | 'tenant' | 'subject']?: string | undefined };

const columns = sql.raw('team, user_id as "userId", tenant, subject, made_by as "madeBy", linked_at as "linkedAt"');

/** Links of all tenants, for operators. */
export async function listSlackLinks(db: Database, filter: SlackLinkFilter): Promise<SlackLink[]> {
  const { rows } = await sql<SlackLink>`
    select ${columns} from slack_links where ${isMeant(filter)} order by tenant, subject, team, user_id`.execute(db);
  return rows;
}

/** `unclear`: addresses that several subjects of a tenant have. */
export type SlackLinkCounts = { made: number; byEmail: number; unclear: number };

export async function countSlackLinks(db: Database): Promise<SlackLinkCounts> {
  const { rows } = await sql<SlackLinkCounts>`
    select count(*) filter (where made_by = 'sign_in')::int as made, count(*) filter (where made_by = 'email')::int as "byEmail",
      (select count(*)::int from (select from subjects where email is not null
        group by tenant, email having count(*) > 1) shared) as unclear
    from slack_links`.execute(db);
  return rows[0]!;
}

/** The tenants in which a filter means anything: a link, or the address of a subject. */
export async function listSlackLinkTenants(db: Database, filter: SlackLinkFilter): Promise<string[]> {
  const { rows } = await sql<{ tenant: string }>`
    select tenant from slack_links where ${isMeant(filter)}
    union select tenant from subjects where ${hasAddress(filter)} order by tenant`.execute(db);
  return rows.map(({ tenant }) => tenant);
}

/**
 * Ends links, and requests that were confirmed and would become links. The address of a Slack user makes no link then
 * until the person makes one. That of a subject is deleted, and comes back with its next sign-in.
 *
 * @returns the links that were ended, and how many subjects had an address
 */
export const endSlackLinks = (
  db: Database,
  filter: SlackLinkFilter,
): Promise<{ ended: SlackLink[]; addresses: number }> =>
  db.transaction().execute(async (trx) => {
    const { team, userId } = filter;
    if (team !== undefined && userId !== undefined) await lockSlackUser(trx, { team, userId });
    // First: what becomes a link meanwhile is a link for the last statement.
    const { numAffectedRows: addresses = 0n } = await sql`
      update subjects set email = null, email_at = null where ${hasAddress(filter)}`.execute(trx);
    await sql`delete from slack_link_codes where ${isMeant(filter)}`.execute(trx);
    const { rows: ended } = await sql<SlackLink>`
      with ended as (delete from slack_links where ${isMeant(filter)} returning *),
      unlinked as (insert into slack_unlinked (team, user_id) select team, user_id from ended on conflict do nothing)
      select ${columns} from ended order by team, user_id`.execute(trx);
    return { ended, addresses: Number(addresses) };
  });

const isMeant = ({ team, userId, tenant, subject }: SlackLinkFilter) => {
  const named = Object.entries({ team, user_id: userId, tenant, subject }).filter(([, value]) => value !== undefined);
  return sql.join([sql`true`, ...named.map(([column, value]) => sql`${sql.ref(column)} = ${value}`)], sql` and `);
};

/** One Slack user alone has no address here: that of its subject counts for others too. */
const hasAddress = ({ tenant, subject }: SlackLinkFilter) =>
  subject === undefined ? sql`false` : sql`${isMeant({ tenant, subject })} and email is not null`;
