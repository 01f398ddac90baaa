import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/** A Slack user, and the subject that it is. */
export type SlackLink = { team: string; userId: string; tenant: string; subject: string; linkedAt: Date };

/** Which links are meant: those that have all of what is named. */
export type SlackLinkFilter = { [Name in 'team' | 'userId' | 'tenant' | 'subject']?: string | undefined };

const columns = sql.raw('team, user_id as "userId", tenant, subject, linked_at as "linkedAt"');

/** Links of all tenants, for operators. */
export async function listSlackLinks(db: Database, filter: SlackLinkFilter): Promise<SlackLink[]> {
  const { rows } = await sql<SlackLink>`
    select ${columns} from slack_links where ${isMeant(filter)} order by tenant, subject, team, user_id`.execute(db);
  return rows;
}

/**
 * Ends links, and requests that were confirmed and would become links.
 *
 * @returns the links that were ended
 */
export const endSlackLinks = (db: Database, filter: SlackLinkFilter): Promise<SlackLink[]> =>
  db.transaction().execute(async (trx) => {
    // First: a request that becomes a link meanwhile is a link for the next statement.
    await sql`delete from slack_link_codes where ${isMeant(filter)}`.execute(trx);
    const { rows } = await sql<SlackLink>`
      delete from slack_links where ${isMeant(filter)} returning ${columns}`.execute(trx);
    return rows;
  });

const isMeant = ({ team, userId, tenant, subject }: SlackLinkFilter) => {
  const named = Object.entries({ team, user_id: userId, tenant, subject }).filter(([, value]) => value !== undefined);
  return sql.join([sql`true`, ...named.map(([column, value]) => sql`${sql.ref(column)} = ${value}`)], sql` and `);
};
