import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/** How long the content of a deleted task is kept for an undo. Its agent may have no worker any more. */
const longestDays = 7;

/** Whether an undo of the deleted task `t` is under way: it needs the receipts and the contents that these name. */
export const hasOpenUndo: RawBuilder<boolean> = sql`(
  t.erased_at > now() - ${longestDays}::int * interval '1 day'
  and exists (select from tool_calls c where c.task_id = t.id and c.undo_state = 'begun'))`;

/** Whether an undo of one of these deleted tasks is under way. */
export async function isAnyUndone(db: Database, taskIds: string[]): Promise<boolean> {
  const { rows } = await sql`
    select from tasks t where t.id = any(${taskIds}::uuid[]) and ${hasOpenUndo} limit 1`.execute(db);
  return rows.length > 0;
}
