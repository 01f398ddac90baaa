import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';
import { AlfredError } from '../../../contract/errors.ts';
import type { ConversationRows, Tasks, Tenants } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import { passedTaskLimit } from '../../../contract/rules/tenant-rules.ts';
import type { TenantLimits } from '../../../contract/tenants.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { createTasks } from '../tasks/tasks.ts';
import { countTasks, countWaitingMessages } from './tenant-use.ts';

/** Whether the tasks of a day are to be counted: these may be many. */
const limitsDay = ({ tasksPerDay }: TenantLimits) => tasksPerDay !== undefined;
const limitsTasks = (limits: TenantLimits) => limits.tasksAtOnce !== undefined || limitsDay(limits);

/** How long a task waits for those of its tenant that other processes make, in milliseconds. */
const lockTimeoutMs = 3_000;

/** How many requests of a tenant with limits wait for each other in one process. */
const maxWaiting = 200;

/**
 * Tasks that are made only for tenants that are active and have room. Two requests at once of a tenant with limits
 * follow each other, so a limit is not passed. A repeated request finds its task in any case.
 */
export function limitTasks(db: Database, tasks: Tasks, tenants: Tenants): Tasks {
  const followOthers = createQueues();
  return {
    ...tasks,
    async create(principal, request, options) {
      const { tenant } = principal;
      await tenants.requireActive(tenant);
      const { limits } = await tenants.find(tenant);
      if (!limitsTasks(limits)) return tasks.create(principal, request, options);
      const create = async (trx: Database) => {
        await sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`.execute(trx);
        await sql`select pg_advisory_xact_lock(hashtextextended(${`tenant-tasks/${tenant}`}, 0))`.execute(trx);
        const task = await createTasks(trx).create(principal, request, options);
        // Counted with the new task. The error takes it back.
        const passed = task.isNew
          ? passedTaskLimit(tenant, limits, await countWithMessages(trx, tenant, limits))
          : undefined;
        if (passed) throw passed;
        return task;
      };
      return followOthers(tenant, () => db.transaction().execute(create));
    },
  };
}

/** The tasks of a tenant. A message whose task is not made yet counts among those of the day. */
async function countWithMessages(db: Database, tenant: string, limits: TenantLimits) {
  const ofDay = limitsDay(limits);
  const { tasksAtOnce, tasksToday } = await countTasks(db, tenant, { ofDay });
  return { tasksAtOnce, tasksToday: ofDay ? tasksToday + (await countWaitingMessages(db, tenant)) : 0 };
}

/**
 * A queue for each tenant. Those who wait in it hold no connection: else one tenant could hold them all.
 *
 * @returns runs the work of a tenant when what came before it is done
 * @throws AlfredError `database_unavailable` when too many wait already. Also a run of a schedule then comes again
 */
function createQueues() {
  // A queue that is forgotten in use does no harm: the lock in the database stays.
  const queues = new LRUCache<string, LimitFunction>({ max: 10_000 });
  return async <T>(tenant: string, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(tenant) ?? pLimit(1);
    queues.set(tenant, queue);
    if (queue.pendingCount >= maxWaiting)
      throw new AlfredError(
        'database_unavailable',
        `${maxWaiting} requests of the tenant ${tenant} wait for the database already. Nothing was lost; repeat the request.`,
        { retryAfterMs: lockTimeoutMs },
      );
    return queue(work);
  };
}

/**
 * Messages that are taken only from tenants that are active and have room for one more task. The task of a message is
 * made when its turn begins: until then the message counts as one. Messages that come at once may pass a limit
 * together. A repeated message is taken in any case.
 */
export const limitMessages = (db: Database, rows: ConversationRows, tenants: Tenants): ConversationRows => ({
  ...rows,
  async storeMessage(principal, conversationId, message) {
    const { tenant } = principal;
    await tenants.requireActive(tenant);
    const { limits } = await tenants.find(tenant);
    if (limitsTasks(limits)) {
      const [{ tasksAtOnce, tasksToday }, waiting] = await Promise.all([
        countTasks(db, tenant, { ofDay: limitsDay(limits) }),
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
