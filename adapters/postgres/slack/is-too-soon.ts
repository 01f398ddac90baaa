import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

type Of = { tenant: string; team: string; kinds: string[] };

/** How many notifications of these kinds there were in the last hour. */
export async function countLately(db: Database, of: Of): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count ${lately(of)}`.execute(db);
  return rows[0]?.count ?? 0;
}

/**
 * Whether the next notification has to wait: after one in the last hour a minute passes, after two of them two, then 4,
 * 8, and 16 at most.
 *
 * @param free so many come before that
 */
export async function isTooSoon(db: Database, of: Of, free = 0): Promise<boolean> {
  const { rows } = await sql<{ tooSoon: boolean }>`
    select count(*) > ${free}::int
      and max(created_at) + interval '1 minute' * power(2, least(count(*) - ${free}::int, 5) - 1) > now() as "tooSoon"
    ${lately(of)}`.execute(db);
  return rows[0]?.tooSoon ?? false;
}

const lately = ({ tenant, team, kinds }: Of) => sql`
  from slack_notifications
  where created_at > now() - interval '1 hour' and kind = any(${kinds}) and tenant = ${tenant} and team = ${team}`;
