import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/**
 * Hides the tasks that hidden tasks have delegated. The sweep removes their content when they have ended.
 *
 * Not in the transaction that hides those: who locks several tasks does so in the order of their ids.
 */
export async function hideBelow(db: Database, taskIds: string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await sql`
    update tasks set erased_at = now(), erase_requested_at = now() where id = any(array(
      select id from tasks
      where parent_id is not null and ancestors && ${taskIds}::uuid[] and erased_at is null
      order by id for update))`.execute(db);
}
