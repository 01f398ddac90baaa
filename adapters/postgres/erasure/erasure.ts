import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Erasure, TaskOwner } from '../../../contract/ports/index.ts';
import type { ConversationRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { daysAgo, isIdle } from '../conversations/idle-conversations.ts';
import { eraseTask } from './erase-task.ts';
import { hideBelow } from './hide-below.ts';
import { hasOpenUndo, isAnyUndone } from './open-undo.ts';

/** When a failed removal is tried again. Each may wait for as long as a statement may take, and there may be many. */
const pauseMinutes = 10;

/** Deletes tasks outside of conversations: at once for readers, then their contents. */
export const createErasure = (db: Database, log: Logger): Erasure => ({
  async deleteTask({ tenant, subject }, taskId) {
    if (!isUuid(taskId)) return false;
    const { rows } = await sql<{ ended: boolean }>`
      update tasks set erased_at = coalesce(erased_at, now()), erase_requested_at = now()
      where id = ${taskId} and tenant = ${tenant} and subject = ${subject} and conversation_id is null
        and (erased_at is null or erase_requested_at is not null)
      returning ended_at is not null as ended`.execute(db);
    if (rows.length > 0) await hideBelow(db, [taskId]);
    // Asked after the row was changed: from then on no undo can be requested.
    if (rows[0]?.ended && !(await isAnyUndone(db, [taskId])))
      await eraseTask(db, { tenant, subject, taskId }).catch((error: unknown) => {
        log.warn({ err: error, taskId }, 'the content of a deleted task will be removed by the sweep');
      });
    return rows.length > 0;
  },

  async listDue({ after, limit }) {
    // A conversation erases its tasks itself, and is then gone.
    const { rows } = await sql<TaskOwner>`
      select t.id as "taskId", t.tenant, t.subject from tasks t
      where t.erase_requested_at <= now() and t.ended_at is not null
        and (${after ?? null}::uuid is null or t.id > ${after ?? null}::uuid)
        and not ${hasOpenUndo}
        and not exists (select from conversations c where c.id = t.conversation_id)
      order by t.id limit ${limit}`.execute(db);
    return rows;
  },

  eraseTask: (task) => eraseOrPostpone(db, task),

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
    const { rows } = await sql<{ id: string }>`
      update tasks set erased_at = now(), erase_requested_at = now() where id = any(array(
        select id from tasks
        where tenant = ${tenant} and ended_at < ${daysAgo(days)} and erased_at is null and conversation_id is null
          and parent_id is null
        order by ended_at limit ${limit}))
      returning id`.execute(db);
    await hideBelow(
      db,
      rows.map(({ id }) => id),
    );
    return rows.length;
  },

  async listExpiredConversations(tenant, days, { limit, skip }) {
    const { rows } = await sql<ConversationRef>`
      select c.id as "conversationId", c.tenant, c.subject, c.agent from conversations c
      where c.tenant = ${tenant} and c.deleted_at is null and ${isIdle(days)}
      order by c.updated_at, c.id limit ${limit} offset ${skip}`.execute(db);
    return rows;
  },
});

async function eraseOrPostpone(db: Database, task: TaskOwner): Promise<void> {
  try {
    await eraseTask(db, task);
  } catch (error) {
    await sql`
      update tasks set erase_requested_at = now() + ${pauseMinutes}::int * interval '1 minute'
      where id = ${task.taskId}::uuid and erase_requested_at is not null`
      .execute(db)
      // The first error says more.
      .catch(() => {});
    throw error;
  }
}
