import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ParkedTasks } from '../../../contract/ports/index.ts';

/** The parked tasks of a model. A task that has ended does not wait any more, also when its row is still there. */
const fromParked = (model: string) => sql`
  from parked_tasks p join tasks t on t.id = p.task_id
  where p.model = ${model} and p.left_at is null and t.ended_at is null`;

/** Tasks that wait for a model to answer again. */
export const createParkedTasks = (db: Database): ParkedTasks => ({
  async park({ taskId, tenant }, model) {
    // A task that was released during the same outage was a probe:
    // it keeps its place in line and its count of releases.
    await sql`
      insert into parked_tasks as p (task_id, model, tenant) values (${taskId}, ${model}, ${tenant})
      on conflict (task_id) do update set
        model = excluded.model,
        parked_at = case when ${sameOutage} then p.parked_at else excluded.parked_at end,
        releases = case when ${sameOutage} then p.releases else 0 end,
        waiting_since = case when p.left_at is null and p.model = excluded.model then p.waiting_since
          else excluded.waiting_since end,
        left_at = null`.execute(db);
  },

  async unpark(taskId) {
    await sql`update parked_tasks set left_at = now() where task_id = ${taskId} and left_at is null`.execute(db);
  },

  async release(model, limit) {
    await deleteFinished(db, model);
    // `at` is when a task of the tenant was last released: the tenant that waits longest comes first.
    const { rows } = await sql<{ task_id: string }>`
      with circuit as (
        select exists (select from model_gates where model = ${model} and open_since is not null) as open
      ), served as (
        select tenant, max(released_at) as at from parked_tasks where model = ${model} group by tenant
      ), line as (
        select p.task_id, p.parked_at, s.at, case when c.open then p.releases else 0 end as probes,
          row_number() over (
            partition by p.tenant, case when c.open then p.releases else 0 end order by p.parked_at, p.task_id
          ) as turn
        from circuit c, served s, parked_tasks p join tasks t on t.id = p.task_id
        where p.model = ${model} and p.left_at is null and t.ended_at is null and s.tenant = p.tenant
          and ${mayBeReleased}
      ), next as (
        select task_id, row_number() over (order by probes, turn, at nulls first, parked_at, task_id) as place
        from line order by place limit ${limit}
      ), released as (
        update parked_tasks p set released_at = now(), releases = p.releases + 1
        from next where p.task_id = next.task_id and ${mayBeReleased} returning p.task_id
      )
      select task_id from released join next using (task_id) order by place`.execute(db);
    return rows.map(({ task_id }) => task_id);
  },

  async count(model) {
    const { rows } = await sql<{ n: number }>`select count(*) as n ${fromParked(model)}`.execute(db);
    return rows[0]?.n ?? 0;
  },

  async circuit(model) {
    const { rows } = await sql<{ open: boolean; due: number | null; released: number | null; parked: number }>`
      select g.open_since is not null as open, extract(epoch from g.probe_at - now())::float8 * 1000 as due,
        (select extract(epoch from now() - max(released_at))::float8 * 1000 from parked_tasks where model = ${model})
          as released,
        (select count(*) ${fromParked(model)}) as parked
      from (select) one left join model_gates g on g.model = ${model}`.execute(db);
    const { open = false, due = null, released = null, parked = 0 } = rows[0] ?? {};
    return { open, probeInMs: due ?? 0, releasedMsAgo: released ?? Infinity, parked };
  },
});

/** Whether a task that is parked again belongs to the same outage: it still waits, or left after the circuit opened. */
const sameOutage = sql`p.model = excluded.model and (p.left_at is null or coalesce(
  p.left_at >= (select open_since from model_gates g where g.model = excluded.model), false))`;

/** A task is not released again for half a minute: the signal of its last release may still be under way. */
const mayBeReleased = sql`(p.released_at is null or p.released_at < greatest(p.waiting_since, now() - interval '30 seconds'))`;

/** Deletes the rows of tasks that ended while they waited, and of tasks that left more than an hour ago. */
async function deleteFinished(db: Database, model: string): Promise<void> {
  await sql`
    delete from parked_tasks p using tasks t
    where t.id = p.task_id and p.model = ${model}
      and (p.left_at < now() - interval '1 hour' or (p.left_at is null and t.ended_at is not null))`.execute(db);
}
