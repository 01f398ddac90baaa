import { sql } from 'kysely';
import { terminalTypes } from '../../../contract/events.ts';
import type { WaitsBelow } from '../../../contract/ports/index.ts';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Times in which several tasks wait count once: what is measured is that the task above has to wait too. */
export async function readWaits(db: Database, { taskId, tenant, subject }: TaskRef, sinceMs = 0): Promise<WaitsBelow> {
  const since = sql`${new Date(sinceMs)}::timestamptz`;
  const { rows } = await sql<WaitsBelow>`
    with below as (
      select id, status from tasks
      where parent_id is not null and ancestors @> array[${taskId}::uuid] and tenant = ${tenant}
        and subject = ${subject}
    ), changes as (
      select e.type, e.at, lead(e.at) over (partition by e.task_id order by e.seq) as until
      from below b join task_events e on e.task_id = b.id
      where e.type in ('task.waiting', 'task.resumed', ${sql.join(terminalTypes)})
    ), waits as (
      select unnest(range_agg(tstzrange(greatest(at, ${since}), greatest(at, ${since}, coalesce(until, now()))))) as wait
      from changes where type = 'task.waiting'
    )
    select coalesce((select sum(extract(epoch from upper(wait) - lower(wait))) from waits), 0)::float8 * 1000 as ms,
      exists (select from below where status = 'waiting') as "isWaiting"`.execute(db);
  return rows[0] ?? { ms: 0, isWaiting: false };
}
