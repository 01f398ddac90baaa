import { sql } from 'kysely';
import type { TenantUse } from '../../../contract/tenants.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { clockSkewMs, firstIdAt } from '../tasks/task-reads.ts';

/**
 * Counts the tasks of a tenant that were asked for: now, and of this day (UTC). What a task delegates belongs to it:
 * the limits of delegation hold for that.
 *
 * @param options `ofDay` false: those of the day, which may be many, are not counted
 */
export async function countTasks(
  db: Database,
  tenant: string,
  { ofDay = true } = {},
): Promise<Pick<TenantUse, 'tasksAtOnce' | 'tasksWaiting' | 'tasksToday'>> {
  const today = new Date().setUTCHours(0, 0, 0, 0);
  const tasksToday = sql`(
    select count(*)::int from tasks where tenant = ${tenant} and id >= ${firstIdAt(today - clockSkewMs)}
      and inserted_at >= ${new Date(today)} and parent_id is null)`;
  const { rows } = await sql<{ tasksAtOnce: number; tasksWaiting: number; tasksToday: number }>`
    select count(*) filter (where status <> 'waiting')::int as "tasksAtOnce",
      count(*) filter (where status = 'waiting')::int as "tasksWaiting", ${ofDay ? tasksToday : sql`0`} as "tasksToday"
    from tasks where tenant = ${tenant} and status in ('queued', 'running', 'waiting') and parent_id is null`.execute(
    db,
  );
  return rows[0] ?? { tasksAtOnce: 0, tasksWaiting: 0, tasksToday: 0 };
}

/** Counts the messages of a tenant that wait for their turns: they have no tasks yet. One that steers gets none. */
export async function countWaitingMessages(db: Database, tenant: string): Promise<number> {
  // The second condition is that of a small index: of what is open, of all tenants.
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from conversation_messages m join conversations c on c.id = m.conversation_id
    where m.state = 'queued'
      and (m.state in ('queued', 'running', 'steering') or (m.state = 'passed_over' and m.head is null))
      and c.tenant = ${tenant} and c.deleted_at is null`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Counts the documents of a tenant. */
export async function countDocuments(
  db: Database,
  tenant: string,
): Promise<Pick<TenantUse, 'documents' | 'documentMb'>> {
  const { rows } = await sql<{ documents: number; bytes: number }>`
    select count(*)::int as documents, coalesce(sum(size_bytes), 0)::float8 as bytes
    from documents where tenant = ${tenant}`.execute(db);
  return { documents: rows[0]?.documents ?? 0, documentMb: (rows[0]?.bytes ?? 0) / 1_000_000 };
}

/** What a tenant uses: numbers, no content. */
export async function readTenantUse(db: Database, tenant: string): Promise<TenantUse> {
  const { rows } = await sql<{ cost: number }>`
    select coalesce(sum(cost_usd), 0)::float8 as cost from usage_days
    where tenant = ${tenant} and day = (now() at time zone 'UTC')::date`.execute(db);
  return {
    ...(await countTasks(db, tenant)),
    costUsdToday: rows[0]?.cost ?? 0,
    ...(await countDocuments(db, tenant)),
  };
}
