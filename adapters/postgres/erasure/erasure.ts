import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Erasure } from '../../../contract/ports/index.ts';
import type { ConversationRef, Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { eraseTask } from './erase-task.ts';

type TaskOwner = Scope & { taskId: string };

/** Deletes tasks outside of conversations: at once for readers, then their contents. */
export const createErasure = (db: Database): Erasure => ({
  async deleteTask({ tenant, subject }, taskId) {
    if (!isUuid(taskId)) return false;
    const { rows } = await sql<{ ended: boolean }>`
      update tasks set erased_at = coalesce(erased_at, now()), erase_requested_at = now()
      where id = ${taskId} and tenant = ${tenant} and subject = ${subject} and conversation_id is null
        and (erased_at is null or erase_requested_at is not null)
      returning ended_at is not null as ended`.execute(db);
    if (rows[0]?.ended) await eraseTask(db, { tenant, subject, taskId });
    return rows.length > 0;
  },

  async eraseDue(limit) {
    const { rows } = await sql<TaskOwner>`
      select id as "taskId", tenant, subject from tasks
      where erase_requested_at is not null and ended_at is not null order by id limit ${limit}`.execute(db);
    for (const task of rows) await eraseTask(db, task);
    return rows.length;
  },

  async listTenants() {
    // Jumps from tenant to tenant in an index: `distinct` would read all rows.
    const { rows } = await sql<{ tenant: string }>`
      with recursive next (tenant) as (
        (select tenant from tasks order by tenant limit 1)
        union all
        select (select tenant from tasks where tenant > next.tenant order by tenant limit 1) from next
        where next.tenant is not null
      )
      select tenant from next where tenant is not null
      union select tenant from (
        with recursive next (tenant) as (
          (select tenant from conversations order by tenant limit 1)
          union all
          select (select tenant from conversations where tenant > next.tenant order by tenant limit 1) from next
          where next.tenant is not null
        )
        select tenant from next where tenant is not null
      ) of_conversations`.execute(db);
    return rows.map(({ tenant }) => tenant);
  },

  async expireTasks(tenant, days, limit) {
    const { rows } = await sql<TaskOwner>`
      update tasks set erased_at = now(), erase_requested_at = now() where id = any(array(
        select id from tasks
        where tenant = ${tenant} and ended_at < ${daysAgo(days)} and erased_at is null and conversation_id is null
        order by ended_at limit ${limit}))
      returning id as "taskId", tenant, subject`.execute(db);
    for (const task of rows) await eraseTask(db, task);
    return rows.length;
  },

  async listExpiredConversations(tenant, days, limit) {
    const { rows } = await sql<ConversationRef>`
      select c.id as "conversationId", c.tenant, c.subject, c.agent from conversations c
      where c.tenant = ${tenant} and c.updated_at < ${daysAgo(days)} and c.deleted_at is null
        and not exists (select from conversation_messages m where m.conversation_id = c.id
          and m.state in ('received', 'queued', 'running', 'steering'))
      order by c.updated_at limit ${limit}`.execute(db);
    return rows;
  },
});

const daysAgo = (days: number) => sql`now() - ${days}::float8 * interval '1 day'`;
