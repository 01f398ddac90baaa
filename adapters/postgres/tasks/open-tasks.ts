import { sql } from 'kysely';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import type { OpenTaskCount, Tasks } from '../../../contract/ports/index.ts';
import type { Selectable } from 'kysely';
import { isAbandoned } from './is-abandoned.ts';
import { toTaskRowState } from './task-row.ts';

type OpenTasks = Pick<Tasks, 'listOpen' | 'listOpenBelow' | 'countOpen' | 'recordUnserved'>;

// The condition of the partial index on `created_at`, so that Postgres does not read ended tasks.
const isOpen = sql<boolean>`status in ('queued', 'running', 'waiting')`;

/** What the sweep reads and writes of open tasks, over all tenants, and those below one task. */
export const createOpenTasks = (db: Database): OpenTasks => ({
  async listOpen({ olderThanMs, changedWithinMs, after, limit }) {
    const changedAfter =
      changedWithinMs === undefined ? sql`true` : sql`updated_at > ${new Date(Date.now() - changedWithinMs)}`;
    const afterCursor = after
      ? sql`created_at >= ${after.createdAt}::timestamptz
          and (created_at, id) > (${after.createdAt}::timestamptz, ${after.taskId}::uuid)`
      : sql`true`;
    // The text keeps the microseconds that a JavaScript date does not have.
    const { rows } = await sql<Selectable<Tables['tasks']> & { position: string; is_abandoned: boolean }>`
      select *, created_at::text as position, ${isAbandoned} as is_abandoned from tasks t
      where ${isOpen} and updated_at < ${new Date(Date.now() - olderThanMs)} and ${changedAfter} and ${afterCursor}
      order by created_at, id limit ${limit}`.execute(db);
    const last = rows.length === limit ? rows.at(-1) : undefined;
    return { tasks: rows.map(toTaskRowState), next: last && { createdAt: last.position, taskId: last.id } };
  },

  async listOpenBelow({ taskId, tenant, subject }) {
    const { rows } = await sql<TaskRef>`
      select id as "taskId", tenant, subject, agent from tasks
      where parent_id is not null and ancestors @> array[${taskId}::uuid] and tenant = ${tenant}
        and subject = ${subject} and ended_at is null
      order by id`.execute(db);
    return rows;
  },

  async countOpen() {
    // A task of a conversation is asked for before its turn, in which it can be begun.
    const { rows } = await sql<OpenTaskCount>`
      select agent, status, count(*)::int as tasks,
        min(case when conversation_id is null then created_at else updated_at end) as oldest from tasks
      where ${isOpen} group by agent, status order by agent, status`.execute(db);
    return rows;
  },

  async recordUnserved(agents) {
    await sql`
      with served as (delete from unserved_agents where agent <> all(${agents}::text[]))
      insert into unserved_agents (agent, since, seen_at) select agent, now(), now() from unnest(${agents}::text[]) agent
      on conflict (agent) do update set seen_at = now()`.execute(db);
  },
});
