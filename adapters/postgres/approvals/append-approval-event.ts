import { sql } from 'kysely';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendEvents } from '../tasks/append-events.ts';

type ApprovalEvent = Extract<NewTaskEvent, { type: `approval.${string}` }>;
type Change = Omit<Parameters<typeof appendEvents>[2], 'events'>;

/**
 * Changes an approval of a task together with its event. The tasks that have delegated this one get the event too,
 * while they are open: a person follows them, and has to learn what waits for a decision.
 *
 * @returns whether the condition of the change held
 */
export async function appendApprovalEvent(
  db: Database,
  task: TaskRef,
  { event, ...change }: Change & { event: ApprovalEvent },
): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    select unnest(ancestors) as id from tasks where id = ${task.taskId}`.execute(db);
  const append = async (trx: Database) => (await appendEvents(trx, task, { ...change, events: [event] })) !== undefined;
  if (rows.length === 0) return append(db);
  const above = rows.map(({ id }) => id);
  return db.transaction().execute(async (trx) => {
    // A parent is locked before its children everywhere.
    await sql`select from tasks where id = any(${above}::uuid[]) order by id for update`.execute(trx);
    if (!(await append(trx))) return false;
    for (const taskId of above)
      await appendEvents(trx, { ...task, taskId }, { when: sql`ended_at is null`, events: [ofChild(event, task)] });
    return true;
  });
}

const ofChild = (event: ApprovalEvent, { taskId }: TaskRef): ApprovalEvent =>
  ({ ...event, data: { ...event.data, taskId } }) as ApprovalEvent;
