import { sql } from 'kysely';
import type { ConversationRows, Tasks, Tenants } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import { passedTaskLimit } from '../../../contract/rules/tenant-rules.ts';
import type { TenantLimits } from '../../../contract/tenants.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { createTasks } from '../tasks/tasks.ts';
import { countTasks, countWaitingMessages } from './tenant-use.ts';

const limitsTasks = ({ tasksAtOnce, tasksPerDay }: TenantLimits) =>
  tasksAtOnce !== undefined || tasksPerDay !== undefined;

/**
 * Tasks that are made only for tenants that are active and have room. Two requests at once of a tenant with limits
 * follow each other, so a limit is not passed. A repeated request finds its task in any case.
 */
export const limitTasks = (db: Database, tasks: Tasks, tenants: Tenants): Tasks => ({
  ...tasks,
  async create(principal, request, options) {
    const { tenant } = principal;
    await tenants.requireActive(tenant);
    const { limits } = await tenants.find(tenant);
    if (!limitsTasks(limits)) return tasks.create(principal, request, options);
    return db.transaction().execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`tenant-tasks/${tenant}`}, 0))`.execute(trx);
      const task = await createTasks(trx).create(principal, request, options);
      // Counted with the new task. The error takes it back.
      const passed = task.isNew ? passedTaskLimit(tenant, limits, await countTasks(trx, tenant)) : undefined;
      if (passed) throw passed;
      return task;
    });
  },
});

/**
 * Messages that are taken only from tenants that are active and have room for one more task. The task of a message is
 * made when its turn begins: until then the message counts as one. Messages that come at once may pass a limit together.
 * A repeated message is taken in any case.
 */
export const limitMessages = (db: Database, rows: ConversationRows, tenants: Tenants): ConversationRows => ({
  ...rows,
  async storeMessage(principal, conversationId, message) {
    const { tenant } = principal;
    await tenants.requireActive(tenant);
    const { limits } = await tenants.find(tenant);
    if (limitsTasks(limits)) {
      const [{ tasksAtOnce, tasksToday }, waiting] = await Promise.all([
        countTasks(db, tenant),
        countWaitingMessages(db, tenant),
      ]);
      const next = { tasksAtOnce: tasksAtOnce + waiting + 1, tasksToday: tasksToday + waiting + 1 };
      const passed = passedTaskLimit(tenant, limits, next);
      if (passed && !(await isStored(db, principal, conversationId, message.id))) throw passed;
    }
    return rows.storeMessage(principal, conversationId, message);
  },
});

async function isStored(
  db: Database,
  { tenant, subject }: Scope,
  conversationId: string,
  id: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('conversation_messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .select('m.id')
    .where('c.id', '=', conversationId)
    .where('c.tenant', '=', tenant)
    .where('c.subject', '=', subject)
    .where('m.id', '=', id)
    .executeTakeFirst();
  return row !== undefined;
}
